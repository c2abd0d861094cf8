"""Calls, the conferences they meet in, and what Twilio told about them."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, Sum, Value, When
from django.utils import timezone

from billing.models import Account
from core.timestamps import DatabaseNow
from groups.models import Group
from users.models import User
from voice.caption_models import Transcription
from voice.dial_in_models import DialInCode, DialInNumber
from voice.group_call_models import GroupCall
from voice.unread_models import UnreadWebhook

__all__ = ("DialInCode", "DialInNumber", "GroupCall", "Transcription", "UnreadWebhook")  # Django looks for models here

JOIN, LEAVE, END = "participant-join", "participant-leave", "conference-end"
MUTE, UNMUTE = "participant-mute", "participant-unmute"
"""https://www.twilio.com/docs/voice/twiml/conference#attributes-statusCallbackEvent"""
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
UNNAMED = "ring_"
"""How the sids begin of legs that Twilio has not named yet."""


class Doubt(models.Model):
    """What Twilio may say that it does not know: it is another region's or subaccount's, or the key was rotated."""

    doubted_at = models.DateTimeField(
        null=True, blank=True, help_text="Since when Twilio, asked about it, has said that it does not know it."
    )
    ask_again_at = models.DateTimeField(null=True, blank=True, help_text="When Twilio is asked again, in doubt.")

    class Meta:
        abstract = True


class ConferenceQuerySet(models.QuerySet["Conference"]):
    def silent_since(self, time: datetime, *, now: datetime) -> "ConferenceQuerySet":
        """Conferences that have not ended as far as we know, and that nothing was heard of since."""
        return self.filter(may_ask(now), ended_at=None, heard_at__lte=time).order_by("heard_at")

    def long_in_doubt(self, now: datetime) -> "ConferenceQuerySet":
        """Not ended as far as we know, and not known to Twilio for an hour: somebody must look."""
        return self.filter(ended_at=None, doubted_at__lte=now - HOUR)


class Conference(Doubt):
    """One conversation of a group at Twilio. A group's next conversation is another conference."""

    class Announcement(models.TextChoices):
        """Whether the group was told that it began. Empty until somebody is on."""

        DUE = "due", "to be told"
        TOLD = "told", "told"
        SPARED = "spared", "told of another call within the minute"
        LOST = "lost", "nobody could be told"

    sid = models.CharField(primary_key=True, max_length=64)
    group_id = models.BigIntegerField(
        null=True, blank=True, db_index=True, help_text="Empty where Twilio's name of it is no group's id."
    )
    completed = models.BooleanField(default=False, help_text="Known from asking Twilio, whatever events came.")
    heard_at = models.DateTimeField(default=timezone.now, help_text="When Twilio last told about it, or was asked.")
    ended_at = models.DateTimeField(null=True, blank=True)
    notified_at = models.DateTimeField(
        null=True, blank=True, help_text="When the group was to be told that it began, the last time that it was tried."
    )
    alone_since = models.DateTimeField(
        null=True, blank=True, help_text="Since when one phone alone is on; empty while none is, or several are."
    )
    alone_told_at = models.DateTimeField(null=True, blank=True, help_text="When that one was warned of the end.")
    announcement = models.CharField(max_length=8, choices=Announcement, default="", blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = ConferenceQuerySet.as_manager()

    class Meta:
        db_table = "conferences"
        ordering = ("-created_at", "sid")
        indexes = (models.Index(fields=("heard_at",), condition=Q(ended_at=None), name="conferences_running"),)

    def __str__(self) -> str:
        return self.sid


def may_ask(now: datetime) -> Q:
    return Q(ask_again_at=None) | Q(ask_again_at__lte=now)


class ConferenceEventQuerySet(models.QuerySet["ConferenceEvent"]):
    def deciding(self, sids: Collection[str] | None) -> "ConferenceEventQuerySet":
        """Those that say whether these legs are on, or all legs: numbered, for the others change nothing."""
        about = Q(kind__in=(JOIN, LEAVE)) if sids is None else Q(kind__in=(JOIN, LEAVE), call_sid__in=sids)
        return self.filter(about | Q(kind=END)).exclude(sequence_number=None)

    def about_muting(self) -> "ConferenceEventQuerySet":
        """Those that say whether a leg is muted, the newest first: who joins again is muted as they were let in."""
        told = self.filter(kind__in=(JOIN, MUTE, UNMUTE)).exclude(sequence_number=None)
        return told.order_by("-sequence_number")


class ConferenceEvent(models.Model):
    """What Twilio told about a conference, as it came. A SequenceNumber counts once; without one it changes nothing.

    https://www.twilio.com/docs/voice/twiml/conference#attributes-statusCallback
    """

    conference = models.ForeignKey(Conference, models.CASCADE, related_name="events", db_index=False)
    sequence_number = models.BigIntegerField(null=True, blank=True)
    kind = models.CharField(max_length=64)
    call_sid = models.CharField(max_length=64, blank=True)
    payload = models.JSONField()
    happened_at = models.DateTimeField(
        null=True, blank=True, help_text="Twilio's Timestamp; empty where it has none that can be read."
    )
    created_at = models.DateTimeField(default=timezone.now)

    objects = ConferenceEventQuerySet.as_manager()

    class Meta:
        db_table = "conferenceEvents"
        ordering = ("conference", "sequence_number")
        constraints = (
            models.UniqueConstraint(fields=("conference", "sequence_number"), name="conference_event_counts_once"),
        )
        indexes = (models.Index(fields=("conference", "kind", "call_sid"), name="conference_events_deciding"),)

    def __str__(self) -> str:
        return f"{self.sequence_number} {self.kind}"


class CallQuerySet(models.QuerySet["Call"]):
    def total_price_micros(self) -> int:
        total: int | None = self.aggregate(total=Sum("price_micros"))["total"]
        return total or 0

    def silent_since(self, time: datetime, *, now: datetime) -> "CallQuerySet":
        """Legs that have not ended as far as we know, and that nothing was heard of since."""
        return self.filter(may_ask(now), end_time=None, heard_at__lte=time).order_by("heard_at")

    def long_in_doubt(self, now: datetime) -> "CallQuerySet":
        """Not ended as far as we know, and not known to Twilio for an hour: somebody must look."""
        return self.filter(end_time=None, doubted_at__lte=now - HOUR)

    def running(self) -> "CallQuerySet":
        """Legs that have not ended as far as we know."""
        return self.filter(end_time=None)

    def known(self) -> "CallQuerySet":
        """Legs of which more is known than their sid (`is_nobodys`)."""
        return self.exclude(caller="", user_id=None, payer=None)

    def of_nobody_known(self) -> "CallQuerySet":
        return self.filter(~Exists(User.objects.filter(pk=OuterRef("user_id"))))

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
            When(payer__isnull=False, payer__user=None, then=Value(why.PAYER_GONE)),
        ]
        if not settings.OPEN_MODE:
            own = group.of_person(OuterRef(OuterRef("user_id")))
            reasons.append(When(is_persons & ~Exists(own), then=Value(why.NO_PART)))
        return self.running().annotate(why=Case(*reasons, default=Value(""))).exclude(why="")

    def rung(self) -> "CallQuerySet":
        """Running legs by which somebody is rung who has not been let in."""
        return self.running().filter(ring_id__isnull=False).exclude(ring_answer=Call.RingAnswer.JOINED)

    def unsettled(self, account: Account) -> "CallQuerySet":
        """Legs that the account pays and has not been charged for: running, or without a price yet."""
        return self.filter(UNSETTLED, payer=account)

    def overdue(self, now: datetime) -> "CallQuerySet":
        """Legs that ended a day ago and have no price, though Twilio has answered; two days, though it has not."""
        answered = Q(price_attempts__gte=1) | Q(end_time__lte=now - 2 * DAY)
        return self.without_price(now).filter(answered, charged_micros=None).order_by("end_time")

    def without_price(self, now: datetime) -> "CallQuerySet":
        """Legs that somebody pays, ended a day ago and not priced by Twilio in dollars yet, nor settled by staff."""
        ended = self.filter(end_time__lte=now - DAY, price_micros=None, payer__isnull=False)
        return ended.exclude(settled_by=Call.SettledBy.STAFF)

    def price_due(self, now: datetime) -> "CallQuerySet":
        return self.filter(price_due_at__lte=now).order_by("price_due_at")


UNSETTLED = Q(end_time=None) | Q(price_micros=None, charged_micros=None)


class Call(Doubt):
    """One phone in one conversation: a leg. It names people and groups by id, for it outlives them until it is paid."""

    class EndSource(models.TextChoices):
        """How its end is known. The first event counts, and wins over an answer; any fact wins over an assumption."""

        EVENT = "event", "told by Twilio"
        ANSWER = "answer", "asked of Twilio"
        ASSUMED = "assumed", "assumed: its time limit was over, and Twilio did not know it"

    class SettledBy(models.TextChoices):
        PRICE = "price", "Twilio's price"
        RATES = "rates", "our own rates"
        STAFF = "staff", "staff"

    class RingAnswer(models.TextChoices):
        """Of who is rung and lifts the receiver. Empty before, and of who calls by themself."""

        PRESSED = "pressed", "pressed 1"
        JOINED = "joined", "pressed 1, and was let in"
        REFUSED = "refused", "pressed 1, and was not let in"
        DECLINED = "declined", "pressed another key"
        NO_KEY = "noKey", "pressed no key"

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
    entry = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="How often it was let in, where it has a menu of the keypad; else 0."
    )
    menu_at = models.DateTimeField(
        null=True, blank=True, help_text="When that menu was last opened, on its conference."
    )
    menu_after = models.BigIntegerField(
        null=True, blank=True, help_text="The conference's highest SequenceNumber when it was."
    )
    out_since = models.DateTimeField(
        null=True, blank=True, help_text="Since when it is in the menu, and still on the call as others see it."
    )
    let_in_muted = models.BooleanField(
        default=False, db_default=False, help_text="Whether it is muted when it comes back from the menu."
    )
    wants_no_warnings = models.BooleanField(
        default=False, db_default=False, help_text="Whether its person is not warned before the call ends for them."
    )
    muted_told = models.BooleanField(
        null=True, blank=True, help_text="Whether Twilio, when last asked or told so, said that it is muted."
    )
    muted_after = models.BigIntegerField(
        null=True, blank=True, help_text="The conference's highest SequenceNumber before that."
    )
    heard_at = models.DateTimeField(default=timezone.now, db_default=DatabaseNow())
    payer = models.ForeignKey(
        Account, models.PROTECT, null=True, blank=True, related_name="calls", help_text="Fixed when the call starts."
    )
    caller = models.CharField(max_length=255, default="", db_default="", blank=True, help_text="Twilio's From.")
    called = models.CharField(max_length=255, default="", db_default="", blank=True, help_text="Twilio's To.")
    status = models.CharField(max_length=32, default="in-progress", db_default="in-progress")
    direction = models.CharField(max_length=32, default="inbound", db_default="inbound")
    end_source = models.CharField(
        "how its end is known", max_length=8, choices=EndSource, blank=True, default="", db_default=""
    )
    price_unit = models.CharField(max_length=3, default="USD", db_default="USD")
    price_told = models.CharField(
        max_length=40,
        blank=True,
        default="",
        db_default="",
        help_text="Twilio's price, where it is not in dollars, or cannot be.",
    )
    duration_told = models.CharField(
        max_length=120,
        blank=True,
        default="",
        db_default="",
        help_text="Twilio's duration, start or end, where they cannot be.",
    )
    price_due_at = models.DateTimeField(null=True, blank=True, help_text="When to ask for the price (again).")
    price_attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    settled_by = models.CharField(max_length=8, choices=SettledBy, blank=True, default="", db_default="")
    charged_micros = models.BigIntegerField(
        null=True, blank=True, help_text="What its payer was charged in all, the conference's fee included."
    )
    charged_minutes = models.PositiveIntegerField(null=True, blank=True, help_text="The started minutes charged for.")
    captions_micros = models.BigIntegerField(
        null=True, blank=True, help_text="What its payer was charged for its captions, beside that."
    )
    ends_at = models.DateTimeField(
        null=True, blank=True, help_text="When its time limit is over. Twilio begins to count it within a minute."
    )
    warned_at = models.DateTimeField(null=True, blank=True, help_text="When its person was told that it ends soon.")
    hang_up_at = models.DateTimeField(null=True, blank=True, help_text="When Twilio was last told to end it.")
    ring_id = models.BigIntegerField(
        null=True, blank=True, db_index=True, help_text="Of the ring by which somebody is rung, or was, with this leg."
    )
    ring_answer = models.CharField(
        max_length=8,
        choices=RingAnswer,
        blank=True,
        default="",
        db_default="",
        help_text="What was done on the phone.",
    )

    objects = CallQuerySet.as_manager()

    class Meta:
        db_table = "callSessions"
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("start_time",), name="calls_by_start"),
            models.Index(fields=("heard_at",), condition=Q(end_time=None), name="calls_running"),
            models.Index(fields=("price_due_at",), condition=Q(price_due_at__isnull=False), name="calls_price_due"),
            models.Index(fields=("payer",), condition=UNSETTLED, name="calls_unsettled"),
            models.Index(fields=("end_time",), condition=Q(price_micros=None), name="calls_without_price"),
            models.Index(fields=("group_id",), condition=Q(is_on=True), name="calls_on_of_group"),
            models.Index(fields=("user_id",), condition=Q(is_on=True), name="calls_on_of_person"),
            # operators look for a number by its beginning
            models.Index(fields=("caller",), name="calls_by_caller", opclasses=("varchar_pattern_ops",)),
            models.Index(fields=("called",), name="calls_by_called", opclasses=("varchar_pattern_ops",)),
        )
        constraints = (
            models.CheckConstraint(condition=Q(end_time__gte=F("start_time")), name="call_ends_after_its_start"),
            models.CheckConstraint(condition=Q(price_micros__lte=0), name="call_price_is_not_above_zero"),
        )

    def __str__(self) -> str:
        return self.sid

    @property
    def is_nobodys(self) -> bool:
        """Whether only events tell of it, which know nothing but the sid: its makeCall has not come yet, or never."""
        return not self.caller and self.user_id is None and self.payer_id is None

    @property
    def is_named(self) -> bool:
        """Whether Twilio has said by which sid it knows the leg: of one that is to ring, only once it does."""
        return not self.sid.startswith(UNNAMED)

    @property
    def minutes(self) -> int:
        """The started minutes that it has lasted, as Twilio counts them; 0 while it runs."""
        return -(-(self.duration or 0) // 60)


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
        PAYER_GONE = "payer_gone", "the account of its payer is deleted"
        ALONE = "alone", "nobody else was on the call for minutes"
        NO_CREDIT = "no_credit", "not let in: there is not enough credit"
        RING_OVER = "ring_over", "rung for nothing more: answered elsewhere, or the call is over"

    call = models.ForeignKey(Call, models.CASCADE, related_name="hang_ups")
    why = models.CharField(max_length=16, choices=Why)
    asked_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "hangUps"
        ordering = ("id",)

    def __str__(self) -> str:
        return self.get_why_display()
