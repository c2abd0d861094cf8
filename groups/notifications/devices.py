"""The devices that are notified: registered by apps, forgotten when Twilio says that they are gone."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.http import Http404
from rest_framework.exceptions import APIException

from core.attempts import Attempts
from core.transactions import atomic_and_retried, lock_rows
from core.vendors import best_effort
from groups.models import Device, Group, GroupQuerySet
from groups.notifications.channels import Channel, channel_for
from users.client_identity import person_with_identity
from users.models import User

CHECK_EVERY = timedelta(days=7)
MOST_AT_ONCE = 50
AGAIN_AFTER = timedelta(hours=1)
MOST_DEVICES = 20
"""Of one person. An app that is installed anew is another device."""


def register_device(
    *,
    identity: str,
    address: str,
    binding_type: str,
    endpoint: str | None,
    tags: Iterable[int],
    now: datetime,
    check: Callable[[], None] = lambda: None,
) -> Device:
    """Makes the channel's binding, then our own row. The address belongs to whoever registered it last.

    `check` asks for permission once more, under the person's lock. Who has many devices keeps the newest MOST_DEVICES.
    An endpoint that is not named is the one that their device has already: apps keep it.
    """
    person = person_with_identity(identity)
    groups = Group.objects.filter(pk__in=tags).order_by("pk")
    groups = groups.of_person(person) if person else groups
    channel = channel_for(binding_type)
    binding = channel.register_binding(
        identity=identity,
        address=address,
        binding_type=binding_type,
        endpoint=endpoint or kept_endpoint(identity, address) or uuid4().hex,
        tags=[str(group.pk) for group in groups],
    )
    fields = {
        "user": person,
        "identity": identity,
        "binding_type": binding_type,
        "sid": binding.sid[:64],
        "endpoint": binding.endpoint[:128],
        "checked_at": now,
    }
    try:
        device, former, given_up = write_device(address, fields, groups, check)
    except (APIException, Http404):
        unbind(channel, binding.sid)
        raise
    if former != binding.sid:
        unbind(channel, former)
    for old in given_up:
        unbind(channel_for(old.binding_type), old.sid)
    device.refresh_from_db()
    return device


@atomic_and_retried
def write_device(
    address: str, fields: dict[str, Any], groups: GroupQuerySet, check: Callable[[], None]
) -> tuple[Device, str, list[Device]]:
    """The device, the binding that it had before, and those that give way to it. Its person is locked first: their end
    takes it along."""
    if person := fields["user"]:
        if not lock_rows(User.objects.filter(pk=person.pk).only("pk")):
            raise Http404
        check()
    device, _ = Device.objects.get_or_create(address=address, defaults=fields)
    device = Device.objects.select_for_update().get(pk=device.pk)
    former = device.sid
    Device.objects.filter(pk=device.pk).update(**fields)
    device.tags.set(groups.all())  # asked again: somebody may have left one
    return device, former, give_up_oldest(fields["identity"])


def give_up_oldest(identity: str) -> list[Device]:
    """Forgets those beyond MOST_DEVICES that nobody has registered for longest. Their bindings are to be deleted."""
    old = list(Device.objects.filter(identity=identity).order_by("-checked_at", "-pk")[MOST_DEVICES:])
    Device.objects.filter(pk__in=[device.pk for device in old]).delete()
    return old


def kept_endpoint(identity: str, address: str) -> str | None:
    return Device.objects.filter(identity=identity, address=address).values_list("endpoint", flat=True).first()


def unbind(channel: Channel, sid: str) -> None:
    """Takes an address from its former identity: who is meant by that one must not be told on another's phone."""
    with best_effort(f"delete the former binding {sid}"):
        channel.delete_binding(sid=sid)


def forget_binding(name: str) -> None:
    """Deletes a binding ("apn:BS…") of somebody who is gone, unless their phone is registered anew by another."""
    binding_type, _, sid = name.partition(":")
    if not Device.objects.filter(sid=sid).exists():
        channel_for(binding_type).delete_binding(sid=sid)


def forget_gone_devices(*, now: datetime) -> int:
    """Asks Twilio about devices not asked about for a week, and forgets those that it has dropped; how many."""
    if not settings.NOTIFICATIONS:
        return 0
    forgotten, attempts = 0, Attempts()
    for device in Device.objects.filter(checked_at__lte=now - CHECK_EVERY).order_by("checked_at")[:MOST_AT_ONCE]:
        if attempts.is_over:
            break
        with attempts.one(f"ask about binding {device.sid}"):
            forgotten += claim_device(device, now=now) and is_gone(device, now=now)
    return forgotten


def claim_device(device: Device, *, now: datetime) -> bool:
    """Whether no other run has it. One that gets no answer is asked about again in an hour."""
    unclaimed = Device.objects.filter(pk=device.pk, checked_at=device.checked_at)
    return bool(unclaimed.update(checked_at=now - CHECK_EVERY + AGAIN_AFTER))


def is_gone(device: Device, *, now: datetime) -> bool:
    if channel_for(device.binding_type).has_binding(sid=device.sid):
        Device.objects.filter(pk=device.pk).update(checked_at=now)
        return False
    return bool(forget(device))


@atomic_and_retried
def forget(device: Device) -> int:
    """Locks it before the groups that it is told about, as whoever registers it does."""
    rows = Device.objects.filter(pk=device.pk, sid=device.sid)
    return int(bool(lock_rows(rows) and rows.delete()[0]))
