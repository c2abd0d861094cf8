"""What is said and typed on a group's calls, as text: written by `voice/captions/`, and told by `groups/live/`."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from core.legible import isolated
from core.timestamps import DatabaseNow

MOST_LETTERS = 4000
"""Of a caption. Nobody says more in one breath."""


class CaptionQuerySet(models.QuerySet["Caption"]):
    def kept(self) -> "CaptionQuerySet":
        return self.filter(is_kept=True)

    def newest_first(self) -> "CaptionQuerySet":
        return self.order_by("-created_at", "-id")

    def waiting(self, group_id: int) -> "CaptionQuerySet":
        """Typed ones that have not been spoken, in their turn."""
        return self.filter(group_id=group_id, typed=True, spoken=Caption.Spoken.WAITING).order_by("created_at", "id")

    def passing(self, before: datetime) -> "CaptionQuerySet":
        """Those that nobody wants kept, and that every stream has been told of by now."""
        done = self.filter(is_kept=False, stored_at__lt=before).exclude(spoken=Caption.Spoken.WAITING)
        return done.exclude(text="", display_name="", user=None)


class Caption(models.Model):
    """What somebody has said on a call, or typed to have it spoken there."""

    class Spoken(models.TextChoices):
        """What becomes of typed words. Empty for what was said aloud."""

        WAITING = "waiting", "waiting"
        SPOKEN = "spoken", "spoken"
        NOT_SPOKEN = "notSpoken", "not spoken"

    group = models.ForeignKey(
        "groups.Group", models.CASCADE, db_column="groupId", related_name="captions", db_index=False
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        db_column="userId",
        related_name="captions",
        verbose_name="person",
        help_text="Empty for a caller whom nobody knows.",
    )
    display_name = models.CharField(max_length=128, db_column="displayName", help_text="As it was then.")
    text = models.TextField()
    language = models.CharField(max_length=35, default="", db_default="")
    created_at = models.DateTimeField(
        default=timezone.now, db_default=DatabaseNow(), db_column="createdAt", help_text="When it was said."
    )
    typed = models.BooleanField(default=False, db_default=False)
    spoken = models.CharField(max_length=9, choices=Spoken, null=True, blank=True)
    why = models.CharField(max_length=255, null=True, blank=True, help_text="Why it was not spoken.")
    transcription = models.CharField(
        max_length=64, null=True, blank=True, help_text="Twilio's id of what writes down the words of one phone."
    )
    sequence_id = models.BigIntegerField(null=True, blank=True, db_column="sequenceId", help_text="Twilio's count.")
    is_kept = models.BooleanField(
        default=True, db_default=True, help_text="Else its words are only told, and emptied within minutes."
    )
    stored_at = models.DateTimeField(default=timezone.now, db_default=DatabaseNow(), editable=False)
    asked_at = models.DateTimeField(null=True, blank=True, help_text="When Twilio was asked to speak it.")
    fetched_at = models.DateTimeField(null=True, blank=True, help_text="When Twilio fetched its words.")
    number = models.BigIntegerField(null=True, editable=False)
    """Its place among all that were told in its group: a change gives it a new one. The database counts."""

    objects = CaptionQuerySet.as_manager()

    class Meta:
        db_table = "captions"
        ordering = ("-created_at", "-id")
        constraints = (
            models.UniqueConstraint(fields=("transcription", "sequence_id"), name="caption_told_once"),
            models.CheckConstraint(
                condition=Q(typed=True, spoken__isnull=False) | Q(typed=False, spoken=None),
                name="caption_typed_is_spoken_or_not",
            ),
        )
        indexes = (
            models.Index(F("group"), F("created_at").desc(), F("id").desc(), name="captions_newest_first"),
            models.Index(F("group"), F("number"), name="captions_as_told"),
            models.Index(fields=("group",), condition=Q(spoken="waiting"), name="captions_waiting"),
            models.Index(fields=("stored_at",), name="captions_by_storing"),
        )

    def __str__(self) -> str:
        return isolated(self.text[:80])


class PartialCaption(models.Model):
    """What somebody is saying at this moment, as far as it was understood: the newest of each phone, told and not kept.

    It is emptied by its final words.
    """

    transcription = models.CharField(max_length=64, primary_key=True)
    group = models.ForeignKey("groups.Group", models.CASCADE, db_column="groupId", related_name="+")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, db_column="userId", related_name="+"
    )
    display_name = models.CharField(max_length=128, db_column="displayName")
    text = models.TextField(blank=True)
    language = models.CharField(max_length=35, default="", db_default="")
    sequence_id = models.BigIntegerField(default=0, db_default=0, db_column="sequenceId")
    created_at = models.DateTimeField(default=timezone.now, db_default=DatabaseNow(), db_column="createdAt")

    class Meta:
        db_table = "partialCaptions"

    def __str__(self) -> str:
        return self.transcription


class CaptionCount(models.Model):
    """How many captions a group has been told, and how often a partial one has changed. The database counts."""

    group = models.OneToOneField(
        "groups.Group", models.CASCADE, primary_key=True, db_column="groupId", related_name="+"
    )
    last_caption = models.BigIntegerField(default=0, db_default=0, db_column="lastCaption")
    last_partial = models.BigIntegerField(default=0, db_default=0, db_column="lastPartial")

    class Meta:
        db_table = "captionCounts"

    def __str__(self) -> str:
        return f"captions of group {self.pk}"
