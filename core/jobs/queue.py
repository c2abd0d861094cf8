"""What becomes of a job: stored, begun by one worker, done, or tried again, or given up.

Two jobs of one task with the same arguments are one: while one is at work no other is begun, and whoever begins one
takes along all that wait to do just the same. So much, and no more: what is stored while one is at work is done after
it, for its cause may be newer than what that one has read; and what is done may be asked for anew. Nobody who stores a
job waits for anybody: it is one INSERT, and no constraint looks at it.

Whoever ends a job says which try it was: a worker that was taken for dead changes nothing any more.
"""

import json
import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from django_tasks.base import Task

from core.failpoints import failpoint
from core.jobs.models import MOST_WORDS, Job, WorkerSeen
from core.jobs.tasks import bounds_of, cause, written
from core.transactions import was_broken_off

WAITING = {"state": Job.State.WAITING, "worker": ""}
logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=20)
"""A worker renews it each few seconds: a job whose worker is gone is begun by another after this."""
CLOCKS = timedelta(minutes=1)
"""What was written so far ahead of now was written by a clock that has been set back since."""
KILLED = "Its worker was killed, or cut off from the database."


def new_job(task: Task[..., Any], args: Any, kwargs: Any) -> Job:
    """Not stored yet."""
    now, arguments = timezone.now(), written(args, kwargs)
    return Job(
        task=task.module_path,
        arguments=arguments,
        cause=cause(task.module_path, arguments),
        due_at=task.run_after or now,
        enqueued_at=now,
        written_at=now,
    )


def enqueue_each(task: Task[..., Any], calls: Iterable[tuple[Any, ...]]) -> None:
    """As `task.enqueue(*arguments)` for each of these, in one statement."""
    if jobs := [new_job(task, args, {}) for args in calls]:
        Job.objects.bulk_create(jobs)


def begin(worker: str, *, at_work: Iterable[Job] = ()) -> Job | None:
    """A job that is due, which this worker alone has from now on; None where nothing is due, or others were faster.

    None of those that it is `at_work` on, whatever has become of their leases. Raises DatabaseError.
    """
    now = timezone.now()
    due = Job.objects.due(now).exclude(pk__in=[job.pk for job in at_work])
    if not due.exists():  # without a transaction, which on SQLite keeps others from writing
        return None
    try:
        with transaction.atomic():
            job = due.select_for_update(skip_locked=True, of=("self",)).first()
            return job and take(job, worker, now=now)
    except IntegrityError:  # another worker has just begun the same by another row
        return None
    except Exception as error:
        if was_broken_off(error):
            return None
        raise


def take(job: Job, worker: str, *, now: datetime) -> Job | None:
    """None where it has been begun too often, and killed its worker each time."""
    if job.state == Job.State.RUNNING:
        job.fault = KILLED
        if job.tries >= bounds_of(job.task).tries:
            give_up(job, now=now)
            return None
    job.state, job.worker, job.tries = Job.State.RUNNING, worker, job.tries + 1
    job.started_at, job.written_at, job.due_at = now, now, now + LEASE
    job.save(update_fields=["state", "worker", "tries", "fault", "started_at", "written_at", "due_at"])
    same = list(Job.objects.same(job, now=now).select_for_update(skip_locked=True).values_list("pk", flat=True))
    if same:
        words = f"It is the same as job {job.pk}, and done with it."
        Job.objects.filter(pk__in=same).update(state=Job.State.DONE, finished_at=now, fault=words)
    failpoint("job_taken")
    return job


def give_up(job: Job, *, now: datetime) -> None:
    job.state, job.finished_at = Job.State.DEAD, now
    job.save(update_fields=["state", "finished_at", "fault"])
    logger.error("Job %s (%s) is given up after %s tries", job.pk, job.task, job.tries)


def mine(job: Job) -> Any:
    """The job, as long as this very try of it is the last one."""
    return Job.objects.filter(pk=job.pk, state=Job.State.RUNNING, worker=job.worker, tries=job.tries)


def finish(job: Job, result: Any) -> bool:
    """Whether it was still this worker's. Raises TypeError for a result that is no JSON."""
    told = "" if result is None else json.dumps(result)
    return bool(mine(job).update(state=Job.State.DONE, finished_at=timezone.now(), result=told, fault=""))


def fail(job: Job, words: str) -> bool:
    """Has it tried again later, or gives it up after the last try; whether it was still this worker's."""
    now, bounds, fault = timezone.now(), bounds_of(job.task), words[:MOST_WORDS]
    if job.tries >= bounds.tries:
        logger.error("Job %s (%s) is given up after %s tries: %s", job.pk, job.task, job.tries, fault)
        return bool(mine(job).update(state=Job.State.DEAD, finished_at=now, fault=fault))
    again = now + bounds.wait(job.tries)
    return bool(mine(job).update(**WAITING, due_at=again, written_at=now, fault=fault))


def give_back(job: Job) -> bool:
    """Lets another worker begin it at once: this one ends. It was no try."""
    now = timezone.now()
    return bool(mine(job).update(**WAITING, due_at=now, written_at=now, tries=F("tries") - 1))


def try_again(jobs: QuerySet[Job]) -> int:
    """Has those that were given up tried anew, as often as at first; how many."""
    now = timezone.now()
    return jobs.filter(state=Job.State.DEAD).update(
        **WAITING, tries=0, due_at=now, written_at=now, started_at=None, finished_at=None
    )


def beat(name: str, threads: int, at_work: list[Job]) -> None:
    """Says that a worker lives, and renews the leases of what it is at."""
    now = timezone.now()
    WorkerSeen.objects.update_or_create(pk=name, defaults={"threads": threads, "seen_at": now})
    own = Job.objects.filter(pk__in=[job.pk for job in at_work], state=Job.State.RUNNING, worker=name)
    if at_work:
        own.update(due_at=now + LEASE, written_at=now)


def mend_clocks() -> None:
    """A clock that was set back keeps nobody waiting: what was written in the future is due, or leased from now on."""
    now = timezone.now()
    ahead = Job.objects.unfinished().filter(written_at__gt=now + CLOCKS)
    ahead.filter(state=Job.State.WAITING).update(due_at=now, written_at=now)
    ahead.filter(state=Job.State.RUNNING).update(due_at=now + LEASE, written_at=now)
