"""Devices that are told something, what they are told, and what a sandbox would have sent: `groups/notifications/`."""

from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from core.legible import isolated

MOST_WORDS = 500
"""Letters of what a device is told."""
REACHED = Q(user__is_active=True) & ~Q(user__notification_choices__push=False)


class DeviceQuerySet(models.QuerySet["Device"]):
    def of_group(self, group: Any) -> "DeviceQuerySet":
        """The devices of the people in the `Group`, and nameless ones that carry its tag. None of a person whose
        account is disabled, or who wants no pushes."""
        in_group = Q(user__in=group.memberships.values("user_id")) | Q(user__in=group.ownerships.values("user_id"))
        return self.filter((in_group & REACHED) | Q(user=None, tags=group)).distinct()

    def of_people(self, people: Iterable[int]) -> "DeviceQuerySet":
        """The devices of these people, by their ids, with the same exceptions."""
        return self.filter(REACHED, user__in=people)

    def for_words(self) -> "DeviceQuerySet":
        """Those that can show something: not those that can only ring."""
        return self.exclude(binding_type=Device.BindingType.VOIP)

    def for_call(self) -> "DeviceQuerySet":
        """Those by which people hear of a call: an iPhone that can ring is told nothing beside. It is one phone where
        the same person has registered both of its tokens with the same endpoint."""
        ringing = Device.objects.filter(
            binding_type=Device.BindingType.VOIP, identity=OuterRef("identity"), endpoint=OuterRef("endpoint")
        )
        return self.exclude(Q(Exists(ringing), binding_type=Device.BindingType.APN))

    def beside(self, phones: "Iterable[Device]") -> "DeviceQuerySet":
        """The tokens by which these iPhones, that could not be made to ring, can still show something."""
        same = [Q(identity=each.identity, endpoint=each.endpoint) for each in phones if each.rings]
        is_one = reduce(or_, same, Q(pk__in=[]))
        return self.filter(is_one, binding_type=Device.BindingType.APN)


class Device(models.Model):
    """Where a push notification is sent. One address belongs to whoever registered it last."""

    class BindingType(models.TextChoices):
        """The first three in Twilio's words: https://www.twilio.com/docs/notify/api/binding-resource

        An iPhone's VoIP token is another than its other one, and may only ever ring it:
        https://developer.apple.com/documentation/pushkit/responding-to-voip-notifications-from-pushkit
        """

        APN = "apn", "APNs"
        FCM = "fcm", "FCM"
        GCM = "gcm", "GCM"
        VOIP = "voip", "APNs VoIP"
        WEBPUSH = "webpush", "Web Push"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        verbose_name="person",
        help_text="Empty where the identity names nobody.",
    )
    identity = models.CharField(max_length=128)
    address = models.CharField(
        max_length=2048, unique=True, help_text="The device's token, or a browser's push subscription."
    )
    binding_type = models.CharField(max_length=8, choices=BindingType)
    endpoint = models.CharField(max_length=128)
    sid = models.CharField(max_length=64, help_text="The channel's id of the binding.")
    checked_at = models.DateTimeField(
        default=timezone.now,
        db_index=True,
        help_text="When it was registered, or Twilio last said that it keeps the binding.",
    )
    tags = models.ManyToManyField("groups.Group", blank=True, related_name="devices", db_table="deviceTags")
    created_at = models.DateTimeField(default=timezone.now)

    objects = DeviceQuerySet.as_manager()

    class Meta:
        db_table = "devices"
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.binding_type} of {self.identity}"

    @property
    def rings(self) -> bool:
        return self.binding_type == Device.BindingType.VOIP

    def tag_ids(self) -> list[int]:
        """The groups that it was registered for."""
        return list(self.tags.order_by("pk").values_list("pk", flat=True))


class Push(models.Model):
    """Something that devices are told, until when, and how far that has come: each of them counts once in the end."""

    cause = models.CharField(
        max_length=128, unique=True, help_text="What it is about (call:CF…): of that, devices are told once."
    )
    group_id = models.BigIntegerField(null=True, blank=True)
    body = models.CharField(max_length=MOST_WORDS)
    until_at = models.DateTimeField("until", help_text="Afterwards nobody wants to hear it any more.")
    devices = models.PositiveIntegerField(default=0, help_text="How many were to be told.")
    told = models.PositiveIntegerField(default=0)
    gone = models.PositiveIntegerField(default=0, help_text="Of which their vendor says that they are no more.")
    spared = models.PositiveIntegerField(
        default=0, help_text="Which it concerned no more: they left, came to the call, or are somebody else's."
    )
    missed = models.PositiveIntegerField(default=0, help_text="Which could not be told in time, or were refused.")
    created_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField("ended", null=True, blank=True)

    class Meta:
        db_table = "pushes"
        ordering = ("-id",)
        verbose_name_plural = "pushes"

    def __str__(self) -> str:
        return self.cause

    @property
    def left(self) -> int:
        """How many devices are still to be told."""
        return self.devices - self.told - self.gone - self.spared - self.missed


class SandboxNotification(models.Model):
    """What the sandbox would have sent."""

    group_id = models.BigIntegerField(null=True, blank=True)
    body = models.CharField(max_length=MOST_WORDS)
    identities = models.JSONField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "sandboxNotifications"
        ordering = ("-id",)

    def __str__(self) -> str:
        return isolated(self.body)
