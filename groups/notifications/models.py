"""What people are told, and what a sandbox would have sent. Devices and pushes are in `groups/device_models.py`."""

from django.db import models
from django.utils import timezone

from core.legible import isolated
from groups.models import Group
from users.models import User


class NoticeQuerySet(models.QuerySet["Notice"]):
    def due(self) -> "NoticeQuerySet":
        return self.filter(state=Notice.State.DUE)


class Notice(models.Model):
    """What a person is told by one way. Stored with what caused it, once for each thing that it is about."""

    class Kind(models.TextChoices):
        INVITED = "invited", "an invitation"
        MISSED = "missed", "a missed call"
        LOW = "low", "money is low"
        ADDED = "added", "money was added"
        REFUSED = "refused", "a card could not be charged"
        CARD = "card", "a card expires"
        SHARED = "shared", "their telephone is somebody else's too"

    class Way(models.TextChoices):
        PUSH = "push", "push"
        EMAIL = "email", "e-mail"
        SMS = "sms", "SMS"

    class State(models.TextChoices):
        DUE = "due", "to be told"
        TOLD = "told", "told"
        SPARED = "spared", "not told"

    user = models.ForeignKey(
        User,
        models.CASCADE,
        related_name="notices",
        verbose_name="person",
        db_index=False,  # the unique (user, …) is its index
    )
    kind = models.CharField(max_length=8, choices=Kind)
    about = models.CharField(max_length=255, help_text="Our id, or a vendor's, of what it is about.")
    way = models.CharField(max_length=8, choices=Way)
    group = models.ForeignKey(Group, models.CASCADE, null=True, blank=True, related_name="+")
    facts = models.JSONField(default=dict, help_text="What its words are made of: ids of people, cents, seconds.")
    state = models.CharField(max_length=8, choices=State, default=State.DUE)
    why = models.CharField("why not", max_length=100, blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField("told, or not, at", null=True, blank=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        db_table = "notices"
        ordering = ("-id",)
        constraints = (models.UniqueConstraint(fields=("user", "kind", "about", "way"), name="notice_told_once"),)
        indexes = (models.Index(fields=("created_at",), name="notices_by_age"),)

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, by {self.get_way_display()}"


class SandboxEmail(models.Model):
    """What the sandbox would have sent by e-mail."""

    to = models.CharField(max_length=128)
    subject = models.CharField(max_length=255)
    text = models.TextField()
    html = models.TextField()
    headers = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "sandboxEmails"
        ordering = ("-id",)
        verbose_name = "sandbox e-mail"

    def __str__(self) -> str:
        return isolated(self.subject)


class SandboxMessage(models.Model):
    """What the sandbox would have sent by SMS."""

    to = models.CharField(max_length=16, help_text="A telephone's number.")
    body = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "sandboxMessages"
        ordering = ("-id",)
        verbose_name = "sandbox SMS"
        verbose_name_plural = "sandbox SMS"

    def __str__(self) -> str:
        return isolated(self.body)
