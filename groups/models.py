"""Who talks with whom: groups, the four lists of people around each, and what they did."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from core import timestamps
from core.digits import Digits, digits_of
from core.legible import isolated
from core.phone_numbers import forms_at_home
from groups.caption_models import Caption, CaptionCount, PartialCaption
from groups.device_models import Device, Push, SandboxNotification
from users.callers import Caller
from users.models import User

__all__ = ("Caption", "CaptionCount", "Device", "PartialCaption", "Push", "SandboxNotification")  # Django looks here

LAST_WORDS = timedelta(minutes=10)
"""How long somebody who left a group may still post one activity there, and leave it again: nothing happens."""


class GroupQuerySet(models.QuerySet["Group"]):
    def visible_to(self, caller: Caller) -> "GroupQuerySet":
        """Those that a person is around, invited ones too; all for staff, and for everybody in open mode."""
        if not isinstance(caller, User) or caller.is_staff:
            return self
        return self.around(caller)

    def around(self, user: "User | int") -> "GroupQuerySet":
        """The groups in which a person has a part: theirs, and those that they are invited to."""
        return self.of_person(user) | self.filter(Exists(Invitation.objects.filter(group=OuterRef("pk"), user=user)))

    def of_person(self, user: "User | int | OuterRef") -> "GroupQuerySet":
        """The groups that a person owns or is a member of."""
        return self.filter(
            Exists(Membership.objects.filter(group=OuterRef("pk"), user=user))
            | Exists(Ownership.objects.filter(group=OuterRef("pk"), user=user))
        )

    def with_number(self, dialled: str) -> "GroupQuerySet":
        """Those whose number this is, as a network writes it, however they wrote it themselves: "555-011-9999"."""
        forms = {digits_of(dialled), *forms_at_home(dialled)} - {""}
        return self.alias(digits=Digits("phone_number")).filter(digits__in=forms)


class Group(models.Model):
    name = models.CharField(max_length=128)
    phone_number = models.CharField(max_length=12, null=True, blank=True, db_column="phoneNumber")
    call_status = models.BooleanField("on a call", default=False, db_default=False, db_column="callStatus")
    call_status_at = timestamps.since_inserted("callStatusAt")
    """When a client or an operator last changed it."""
    created_at = timestamps.created_at()
    version = timestamps.version()
    last_activity = models.BigIntegerField(default=0, db_default=0, db_column="lastActivity", editable=False)
    """The number of the newest activity; so many there have ever been. The database counts (`groups/triggers.py`)."""

    objects = GroupQuerySet.as_manager()

    class Meta:
        db_table = "groups"
        ordering = ("id",)
        indexes = (
            models.Index(fields=("call_status_at",), condition=Q(call_status=True), name="groups_on_a_call"),
            models.Index(Digits("phone_number"), name="groups_by_number"),
        )

    def __str__(self) -> str:
        return f"#{self.pk} {isolated(self.name)}"


class EveryGroup(models.Model):
    """One row, or none yet: raised where the database cannot say which groups have changed (`groups/triggers.py`)."""

    version = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        db_table = "everyGroup"

    def __str__(self) -> str:
        return f"every group, {self.version}"


class GroupPersonQuerySet(models.QuerySet[Any, Any]):
    def longest_standing(self) -> "GroupPersonQuerySet":
        return self.order_by("created_at", "id")


class GroupPerson(models.Model):
    """A person on one of a group's lists: one row per person and group, always."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, db_column="userId", related_name="%(class)ss", verbose_name="person"
    )
    group = models.ForeignKey(
        Group,
        models.CASCADE,
        db_column="groupId",
        related_name="%(class)ss",
        db_index=False,  # the unique (groupId, userId) is its index
    )
    created_at = timestamps.created_at()

    objects = GroupPersonQuerySet.as_manager()

    class Meta:
        abstract = True
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=("group", "user"), name="%(class)s_one_row"),)

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}"


class Ownership(GroupPerson):
    class Meta(GroupPerson.Meta):
        db_table = "usersGroupsOwnership"
        verbose_name = "owner"


class Membership(GroupPerson):
    class Meta(GroupPerson.Meta):
        db_table = "usersGroupsMembership"
        verbose_name = "member"


class Invitation(GroupPerson):
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        db_column="invitedBy",
        related_name="invitations_sent",
        help_text="Empty where nobody was signed in, or they are gone.",
    )

    class Meta(GroupPerson.Meta):
        db_table = "usersGroupsInvitations"
        verbose_name = "invitee"


class InvitationLinkQuerySet(models.QuerySet["InvitationLink"]):
    def lasting(self, *, now: datetime) -> "InvitationLinkQuerySet":
        return self.filter(expires_at__gt=now)

    def open(self, *, now: datetime) -> "InvitationLinkQuerySet":
        """Those that let somebody in: not used up, and whoever made it is still in the group, and not disabled."""
        at_work = {"group": OuterRef("group"), "user": OuterRef("made_by"), "user__is_active": True}
        is_in_it = Exists(Ownership.objects.filter(**at_work)) | Exists(Membership.objects.filter(**at_work))
        return self.lasting(now=now).filter(is_in_it | Q(made_by=None), uses__lt=F("max_uses"))


class InvitationLink(models.Model):
    """Lets whoever has its token join the group. The token is nowhere: `groups/invitations/tokens.py`."""

    group = models.ForeignKey(Group, models.CASCADE, db_column="groupId", related_name="invitation_links")
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        db_column="madeBy",
        related_name="invitation_links",
        help_text="Empty where an operator from outside the group made it, or nobody was signed in.",
    )
    digest = models.CharField(max_length=64, unique=True, help_text="Of the token, which nobody keeps.")
    nonce = models.CharField(max_length=32, help_text="From it and SECRET_KEY the token is made again, to be sent.")
    sent_to = models.CharField(max_length=128, null=True, blank=True, db_column="sentTo")
    sent_at = models.DateTimeField(null=True, blank=True, db_column="sentAt")
    max_uses = models.PositiveSmallIntegerField(db_column="maxUses")
    uses = models.PositiveSmallIntegerField(default=0)
    accepted_by = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        blank=True,
        related_name="accepted_links",
        db_table="invitationLinkUsers",
        help_text="It lets each person in once: whoever was put out of the group does not come back by it.",
    )
    expires_at = models.DateTimeField(db_column="expiresAt", db_index=True)
    created_at = timestamps.created_at()

    objects = InvitationLinkQuerySet.as_manager()

    class Meta:
        db_table = "invitationLinks"
        ordering = ("id",)
        constraints = (
            models.CheckConstraint(condition=Q(uses__lte=F("max_uses")), name="invitation_link_not_used_too_often"),
        )

    def __str__(self) -> str:
        return f"invitation link {self.pk}"


PARTS: tuple[type[GroupPerson], ...] = (Ownership, Membership, Invitation)
"""What makes a group visible to a person."""


class Ring(GroupPerson):
    """That somebody is rung to come to the group's call, or was: the newest takes the place of the one before."""

    class State(models.TextChoices):
        RINGING = "ringing", "ringing"
        JOINED = "joined", "joined"
        DECLINED = "declined", "declined"
        NO_ANSWER = "noAnswer", "no answer"

    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="rings_made",
        help_text="Who rings. Empty where nobody was signed in, or they are gone.",
    )
    state = models.CharField(max_length=8, choices=State, default=State.RINGING, db_default=State.RINGING)
    changed_at = models.DateTimeField(default=timezone.now, db_default=timestamps.DatabaseNow(), db_index=True)

    class Meta(GroupPerson.Meta):
        db_table = "rings"


class Participant(GroupPerson):
    """Somebody on the group's call."""

    class Meta(GroupPerson.Meta):
        db_table = "usersGroupsParticipants"
        verbose_name = "call participant"


class ActivityQuerySet(models.QuerySet["Activity"]):
    def newest_first(self) -> "ActivityQuerySet":
        return self.order_by("-created_at", "-id")

    def newest_of_each_group(self, count: int) -> "ActivityQuerySet":
        place = Window(RowNumber(), partition_by="group_id", order_by=("-created_at", "-id"))
        return self.annotate(place=place).filter(place__lte=count)


class DepartureQuerySet(models.QuerySet["Departure"]):
    def recent(self, *, now: datetime) -> "DepartureQuerySet":
        return self.filter(left_at__gt=now - LAST_WORDS)


class Departure(models.Model):
    """Who left a group or declined to join it: for ten minutes, in which they may say so there once."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, db_column="userId", verbose_name="person")
    group = models.ForeignKey(Group, models.CASCADE, db_column="groupId", db_index=False)
    left_at = models.DateTimeField(db_column="leftAt")
    is_said = models.BooleanField(default=False, db_default=False, db_column="isSaid")

    objects = DepartureQuerySet.as_manager()

    class Meta:
        db_table = "departures"
        constraints = (models.UniqueConstraint(fields=("group", "user"), name="departure_one_row"),)

    def __str__(self) -> str:
        return f"departure {self.pk}"


class Activity(models.Model):
    """Something that a person did in a group, in words that their client chose."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, db_column="userId", verbose_name="person")
    group = models.ForeignKey(Group, models.CASCADE, db_column="groupId", related_name="activities", db_index=False)
    activity = models.CharField(max_length=128)
    created_at = timestamps.created_at()
    number = models.BigIntegerField(null=True, editable=False)
    """Its place among all that there have ever been in its group, from 1: in the order in which they were committed, as
    neither ids nor times are. The database counts. Empty where its triggers were off."""

    objects = ActivityQuerySet.as_manager()

    class Meta:
        db_table = "activities"
        ordering = ("-created_at", "-id")
        verbose_name_plural = "activities"
        indexes = (
            models.Index(F("group"), F("created_at").desc(), F("id").desc(), name="activities_newest_first"),
            models.Index(F("group"), F("number"), name="activities_as_committed"),
        )

    def __str__(self) -> str:
        return isolated(self.activity)
