"""What people are told, and what a sandbox would have sent. Devices and pushes are in `groups/models.py`."""

from django.db import models
from django.utils import timezone

from core.legible import isolated


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
