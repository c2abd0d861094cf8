"""What writes down the words of one phone on a call."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone


class TranscriptionQuerySet(models.QuerySet["Transcription"]):
    def going_on(self) -> "TranscriptionQuerySet":
        """Of which Twilio has not said that it is over, or refused."""
        return self.filter(stopped_at=None, fault="")

    def silent_since(self, time: datetime) -> "TranscriptionQuerySet":
        """Those of which Twilio was asked and has told nothing since."""
        return self.going_on().filter(asked_at__lte=time, started_at=None)


class Transcription(models.Model):
    """Twilio writes down what one phone says: from when it was asked to, or told so, until it is over.

    https://www.twilio.com/docs/voice/api/realtime-transcription-resource
    """

    class Fault(models.TextChoices):
        GONE = "gone", "its phone was not on the call"
        SETUP = "setup", "refused as it was asked for"
        SILENT = "silent", "asked for, and never heard of"
        SECOND = "second", "another one writes down the same phone already"

    call = models.ForeignKey("voice.Call", models.CASCADE, related_name="transcriptions")
    sid = models.CharField(max_length=64, unique=True, null=True, blank=True, help_text="Twilio's; empty if refused.")
    language = models.CharField(max_length=35, default="", db_default="")
    caller_number = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Which of the unknown callers of its call it is, from 1."
    )
    fault = models.CharField(max_length=8, choices=Fault, blank=True, default="", db_default="")
    asked_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    stopped_at = models.DateTimeField(null=True, blank=True)
    last_final = models.BigIntegerField(default=0, db_default=0, help_text="The highest SequenceId of final words.")

    objects = TranscriptionQuerySet.as_manager()

    class Meta:
        db_table = "transcriptions"
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("asked_at",), condition=Q(stopped_at=None, fault=""), name="transcriptions_going_on"),
        )

    def __str__(self) -> str:
        return self.sid or f"none of call {self.call_id}"

    def is_wanted(self, language: str) -> bool:
        """Where captions are wanted in this language; empty where none are. Its own may not be known yet."""
        return bool(language) and not self.fault and self.language in ("", language)
