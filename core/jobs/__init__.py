"""Work that is done after an answer: jobs, who does them, and the schedule. docs/decisions/jobs.md says why it is ours.

A task is a function of a module with `@task` of `django_tasks`, whose shape is Django 6's
(https://docs.djangoproject.com/en/6.0/topics/tasks/); `.enqueue()` stores a job in the caller's transaction. `tasks`
says what a task may rely on, `queue` what becomes of a job, `worker` who does it, `schedule` what comes by the clock.
"""
