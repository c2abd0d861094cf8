"""Calls, the conferences they meet in, and what Twilio told about them."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Case, Exists, OuterRef, Q, Sum, Value, When
from django.utils import timezone

from billing.models import Account
from core.timestamps import DatabaseNow
from groups.models import Group
from users.models import User


class ConferenceQuerySet(models.QuerySet["Conference"]):
    def silent_since(self, time: datetime) -> "ConferenceQuerySet":
        """Conferences that have not ended as far as we know, and that nothing was heard of since."""
        return self.filter(ended_at=None, heard_at__lte=time).order_by("heard_at")


class Conference(models.Model):
    """One conversation of a group at Twilio. A group's next conversation is another conference."""

    sid = models.CharField(primary_key=True, max_length=64)
    group_id = models.BigIntegerField(
        null=True, blank=True, db_index=True, help_text="Empty where Twilio's name of it is no group's id."
    )
    completed = models.BooleanField(default=False, help_text="Known from asking Twilio, whatever events came.")
    heard_at = models.DateTimeField(default=timezone.now, help_text="When Twilio last told about it, or was asked.")
    ended_at = models.DateTimeField(null=True, blank=True)
    notified_at = models.DateTimeField(null=True, blank=True, help_text="When the group was told that it began.")
    created_at = models.DateTimeField(default=timezone.now)

    objects = ConferenceQuerySet.as_manager()

    class Meta:
        db_table = "conferences"
        ordering = ("-created_at", "sid")
        indexes = (models.Index(fields=("heard_at",), condition=Q(ended_at=None), name="conferences_running"),)

    def __str__(self) -> str:
        return self.sid


class ConferenceEventQuerySet(models.QuerySet["ConferenceEvent"]):
    def numbered(self) -> "ConferenceEventQuerySet":
        """Those that have a number: the others change nothing."""
        return self.exclude(sequence_number=None)


class ConferenceEvent(models.Model):
    """What Twilio told about a conference, as it came. A SequenceNumber counts once; without one it changes nothing.

    https://www.twilio.com/docs/voice/twiml/conference#attributes-statusCallback
    """

    conference = models.ForeignKey(Conference, models.CASCADE, related_name="events", db_index=False)
    sequence_number = models.BigIntegerField(null=True, blank=True)
    kind = models.CharField(max_length=64)
    call_sid = models.CharField(max_length=64, blank=True)
    payload = models.JSONField()
    created_at = models.DateTimeField(default=timezone.now)

    objects = ConferenceEventQuerySet.as_manager()

    class Meta:
        db_table = "conferenceEvents"
        ordering = ("conference", "sequence_number")
        constraints = (
            models.UniqueConstraint(fields=("conference", "sequence_number"), name="conference_event_counts_once"),
        )

    def __str__(self) -> str:
        return f"{self.sequence_number} {self.kind}"


class CallQuerySet(models.QuerySet["Call"]):
    def total_price_micros(self) -> int:
        total: int | None = self.aggregate(total=Sum("price_micros"))["total"]
        return total or 0

    def silent_since(self, time: datetime) -> "CallQuerySet":
        """Legs that have not ended as far as we know, and that nothing was heard of since."""
        return self.filter(end_time=None, heard_at__lte=time).order_by("heard_at")

    def running(self) -> "CallQuerySet":
        """Legs that have not ended as far as we know."""
        return self.filter(end_time=None)

    def to_be_hung_up(self) -> "CallQuerySet":
        """Running legs that Twilio is to end, whether it has been told so or not."""
        return self.running().filter(Exists(HangUp.objects.filter(call=OuterRef("pk"))))

    def unwelcome(self) -> "CallQuerySet":
        """Running legs that may be on no more, each with the reason as `why`.

        Where nobody signs in, everybody may be on every group's call.
        """
        group, person = Group.objects.filter(pk=OuterRef("group_id")), User.objects.filter(pk=OuterRef("user_id"))
        is_persons, why = Q(user_id__isnull=False), HangUp.Why
        reasons = [
            When(Q(group_id__isnull=False) & ~Exists(group), then=Value(why.GROUP_GONE)),
            When(is_persons & ~Exists(person), then=Value(why.PERSON_GONE)),
            When(Exists(person.filter(is_active=False)), then=Value(why.DISABLED)),
        ]
        if not settings.OPEN_MODE:
            own = group.of_person(OuterRef(OuterRef("user_id")))
            reasons.append(When(is_persons & ~Exists(own), then=Value(why.NO_PART)))
        return self.running().annotate(why=Case(*reasons, default=Value(""))).exclude(why="")

    def unsettled(self, account: Account) -> "CallQuerySet":
        """Legs that the account pays and has not been charged for: running, or without a price yet."""
        return self.filter(payer=account, price_micros=None)

    def price_due(self, now: datetime) -> "CallQuerySet":
        return self.filter(price_due_at__lte=now).order_by("price_due_at")

    def never_priced(self) -> "CallQuerySet":
        """Ended, asked about often enough, and still without a price: somebody must look."""
        return self.filter(end_time__isnull=False, price_micros=None, price_due_at=None)


class Call(models.Model):
    """One phone in one conversation: a leg. It names people and groups by id, for it outlives them until it is paid."""

    sid = models.CharField(max_length=64, unique=True)
    user_id = models.BigIntegerField(null=True, blank=True, db_column="userId", db_index=True)
    group_id = models.BigIntegerField(null=True, blank=True, db_column="groupId", db_index=True)
    start_time = models.DateTimeField(null=True, blank=True, db_column="startTime")
    end_time = models.DateTimeField(null=True, blank=True, db_column="endTime")
    duration = models.PositiveIntegerField(null=True, blank=True, help_text="Seconds.")
    price_micros = models.BigIntegerField(
        null=True,
        blank=True,
        db_column="price",
        help_text="Micro-dollars, negative, as Twilio counts; empty until known.",
    )
    created_at = models.DateTimeField(default=timezone.now, db_default=DatabaseNow(), db_column="createdAt")

    conference = models.ForeignKey(Conference, models.SET_NULL, null=True, blank=True, related_name="calls")
    is_on = models.BooleanField("on the call", default=False, db_default=False)
    seen_on = models.BooleanField(null=True, blank=True, help_text="Whether Twilio, last asked, said that it is on.")
    seen_after = models.BigIntegerField(
        null=True, blank=True, help_text="The conference's highest SequenceNumber when Twilio was asked."
    )
    heard_at = models.DateTimeField(default=timezone.now, db_default=DatabaseNow())
    payer = models.ForeignKey(
        Account, models.PROTECT, null=True, blank=True, related_name="calls", help_text="Fixed when the call starts."
    )
    caller = models.CharField(max_length=255, default="", db_default="", blank=True, help_text="Twilio's From.")
    called = models.CharField(max_length=255, default="", db_default="", blank=True, help_text="Twilio's To.")
    status = models.CharField(max_length=32, default="in-progress", db_default="in-progress")
    direction = models.CharField(max_length=32, default="inbound", db_default="inbound")
    price_unit = models.CharField(max_length=3, default="USD", db_default="USD")
    price_due_at = models.DateTimeField(null=True, blank=True, help_text="When to ask for the price (again).")
    price_attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    hang_up_at = models.DateTimeField(null=True, blank=True, help_text="When Twilio was last told to end it.")

    objects = CallQuerySet.as_manager()

    class Meta:
        db_table = "callSessions"
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("heard_at",), condition=Q(end_time=None), name="calls_running"),
            models.Index(fields=("price_due_at",), condition=Q(price_due_at__isnull=False), name="calls_price_due"),
            models.Index(fields=("payer",), condition=Q(price_micros=None), name="calls_unsettled"),
        )

    def __str__(self) -> str:
        return self.sid


class HangUp(models.Model):
    """That a leg is to end, and why: stored with what caused it, so that nothing that fails later forgets it.

    A row of its own and not a column of the leg, for whoever stores it holds the group's lock already, and legs are
    locked before groups. It is not unique either, so that nobody waits for anybody; a second one changes nothing.
    """

    class Why(models.TextChoices):
        TAKEN_OFF = "taken_off", "taken off the call"
        CALL_ENDED = "call_ended", "the call was ended for everybody"
        NO_PART = "no_part", "no longer in the group"
        GROUP_GONE = "group_gone", "the group is deleted"
        PERSON_GONE = "person_gone", "the account is deleted"
        DISABLED = "disabled", "the account is disabled"

    call = models.ForeignKey(Call, models.CASCADE, related_name="hang_ups")
    why = models.CharField(max_length=16, choices=Why)
    asked_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "hangUps"
        ordering = ("id",)

    def __str__(self) -> str:
        return self.get_why_display()
