"""Our queue, behind the interface that Django gives tasks. https://docs.djangoproject.com/en/6.0/ref/tasks/"""

import json
from typing import Any

from django_tasks.backends.base import BaseTaskBackend
from django_tasks.base import Task, TaskResult, TaskResultStatus
from django_tasks.exceptions import TaskResultDoesNotExist

from core.jobs.models import Job
from core.jobs.queue import new_job
from core.jobs.tasks import JobTask, read, task_at

STATUS = {
    Job.State.WAITING: TaskResultStatus.READY,
    Job.State.RUNNING: TaskResultStatus.RUNNING,
    Job.State.DONE: TaskResultStatus.SUCCESSFUL,
    Job.State.DEAD: TaskResultStatus.FAILED,
}


class JobsBackend(BaseTaskBackend):
    task_class = JobTask
    supports_defer = True
    supports_get_result = True

    def enqueue(self, task: Task[Any, Any], args: Any, kwargs: Any) -> TaskResult[Any]:
        """One INSERT, in the transaction that runs: what is rolled back was never to be done."""
        job = new_job(task, args, kwargs)
        job.save(force_insert=True)
        return result_of(job, task)

    def get_result(self, result_id: str) -> TaskResult[Any]:
        """Raises TaskResultDoesNotExist also where the job was done so long ago that it is forgotten."""
        job = Job.objects.filter(pk=int(result_id)).first() if result_id.isdecimal() else None
        if job is None:
            raise TaskResultDoesNotExist(result_id)
        return result_of(job, task_at(job.task))


def result_of(job: Job, task: Task[Any, Any]) -> TaskResult[Any]:
    """`errors` stays empty: of a fault its words are kept, and no exception."""
    args, kwargs = read(job.arguments)
    result: TaskResult[Any] = TaskResult(
        task=task,
        id=str(job.pk),
        status=STATUS[Job.State(job.state)],
        enqueued_at=job.enqueued_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        last_attempted_at=job.started_at,
        args=args,
        kwargs=kwargs,
        backend=task.backend,
        errors=[],
        worker_ids=[job.worker] if job.worker else [],
    )
    object.__setattr__(result, "_return_value", json.loads(job.result) if job.result else None)
    return result
