"""What Twilio posted that is not read."""

from django.db import models
from django.utils import timezone


class UnreadWebhook(models.Model):
    """A webhook of Twilio's that is authentic and has more fields than are read: kept for staff, and followed by
    nothing."""

    path = models.CharField(max_length=255)
    field_count = models.PositiveIntegerField("fields")
    text = models.TextField("names of its fields", help_text="The first of them.")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "unreadWebhooks"
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.path} with {self.field_count} fields"
