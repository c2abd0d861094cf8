"""What is to be done, who does it, and what comes by the clock."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

MOST_WORDS = 2000
"""Letters of what is kept of a result or a fault."""
LATE = timedelta(minutes=5)
UNSEEN = timedelta(minutes=1)
"""After so long without a sign a worker counts as gone."""


class JobQuerySet(models.QuerySet["Job"]):
    def unfinished(self) -> "JobQuerySet":
        return self.filter(state__in=UNFINISHED)

    def due(self, now: datetime) -> "JobQuerySet":
        """What waits for a worker: also what one has begun whose lease is over. What has waited longest comes first.

        What is at work under the same cause is not begun a second time beside it.
        """
        at_work = Job.objects.filter(state=Job.State.RUNNING, cause=OuterRef("cause"))
        waits = Q(state=Job.State.RUNNING) | ~Exists(at_work)
        return self.unfinished().filter(waits, due_at__lte=now).order_by("due_at", "id")

    def same(self, job: "Job", *, now: datetime) -> "JobQuerySet":
        """The others that are due, and wait to do just what this one does."""
        return self.filter(state=Job.State.WAITING, cause=job.cause, due_at__lte=now).exclude(pk=job.pk)


class Job(models.Model):
    """Something that is to be done: a task and its arguments, which are ids and no more.

    Whoever does it puts off when it is due, by a lease that is renewed as long as the worker lives.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "waiting"
        RUNNING = "running", "at work"
        DONE = "done", "done"
        DEAD = "dead", "given up"

    task = models.CharField(max_length=200, help_text="The function's path.")
    arguments = models.TextField(help_text="Its arguments, as JSON: ids.")
    cause = models.CharField(max_length=200, help_text="The task and its arguments: by it two jobs are one.")
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    due_at = models.DateTimeField(
        "due",
        default=timezone.now,
        help_text="When a worker may begin it (again). While it is at work: when its lease ends.",
    )
    tries = models.PositiveIntegerField(default=0, help_text="How often it was begun.")
    worker = models.CharField(max_length=64, blank=True, default="", help_text="Who has begun it.")
    fault = models.CharField("last fault", max_length=MOST_WORDS, blank=True, default="")
    result = models.TextField(blank=True, default="", help_text="What the task returned, as JSON.")
    enqueued_at = models.DateTimeField("stored", default=timezone.now)
    written_at = models.DateTimeField(default=timezone.now, help_text="When it was last said when it is due.")
    started_at = models.DateTimeField("begun", null=True, blank=True)
    finished_at = models.DateTimeField("finished", null=True, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        db_table = "jobs"
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("due_at", "id"), condition=Q(state__in=("waiting", "running")), name="jobs_due"),
            models.Index(fields=("cause",), condition=Q(state__in=("waiting", "running")), name="jobs_unfinished"),
            models.Index(fields=("finished_at",), condition=Q(finished_at__isnull=False), name="jobs_finished"),
            models.Index(fields=("id",), condition=Q(state="dead"), name="jobs_dead"),
        )
        constraints = (
            models.UniqueConstraint(fields=("cause",), condition=Q(state="running"), name="job_at_work_once"),
        )

    def __str__(self) -> str:
        return f"job {self.pk}: {self.task}"


UNFINISHED = (Job.State.WAITING, Job.State.RUNNING)


class WorkerSeen(models.Model):
    """A process that does jobs. It says each few seconds that it lives, and goes when it ends."""

    name = models.CharField(primary_key=True, max_length=64)
    threads = models.PositiveIntegerField()
    started_at = models.DateTimeField("started", default=timezone.now)
    seen_at = models.DateTimeField("last seen", default=timezone.now)

    class Meta:
        db_table = "workers"
        ordering = ("-seen_at",)
        verbose_name = "worker"

    def __str__(self) -> str:
        return self.name


class ScheduledCommand(models.Model):
    """A command that comes by the clock: when next, and how its last run went."""

    name = models.CharField(primary_key=True, max_length=64)
    next_at = models.DateTimeField("next", help_text="When it is to run the next time.")
    ran_at = models.DateTimeField("last ran", null=True, blank=True)
    seconds = models.FloatField(null=True, blank=True, help_text="How long it took.")
    is_fault = models.BooleanField("went wrong", default=False)
    result = models.CharField(max_length=MOST_WORDS, blank=True, default="", help_text="What it said.")

    class Meta:
        db_table = "scheduledCommands"
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name
