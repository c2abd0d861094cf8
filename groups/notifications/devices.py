"""The devices that are notified: registered by apps, forgotten when Twilio says that they are gone."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db.models import Q
from django.http import Http404
from rest_framework.exceptions import APIException

from core.attempts import Attempts
from core.transactions import atomic_and_retried, lock_rows
from core.vendors import best_effort
from groups.models import Device, Group, GroupQuerySet
from groups.notifications.channels import channel_for, channels, kinds_by_channel
from users.client_identity import client_identity, person_with_identity
from users.models import User, VendorDeletion
from users.vendor_deletions import delete_at_vendor

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
        device = write_device(address, fields, groups, check)
    except (APIException, Http404):  # what is refused stores nothing, no job either
        with best_effort(f"delete the refused binding {binding.sid}"):
            channel.delete_binding(sid=binding.sid)
        raise
    device.refresh_from_db()
    return device


@atomic_and_retried
def write_device(address: str, fields: dict[str, Any], groups: GroupQuerySet, check: Callable[[], None]) -> Device:
    """The device. The binding that it had before goes, and those of devices that give way to it. Its person is locked
    first: their end takes it along."""
    if person := fields["user"]:
        if not lock_rows(User.objects.filter(pk=person.pk).only("pk")):
            raise Http404
        check()
    device, _ = Device.objects.get_or_create(address=address, defaults=fields)
    device = Device.objects.select_for_update().get(pk=device.pk)
    former = (device.binding_type, device.sid)
    Device.objects.filter(pk=device.pk).update(**fields)
    device.tags.set(groups.all())  # asked again: somebody may have left one
    if device.sid != fields["sid"]:
        unbind([former])
    unbind((old.binding_type, old.sid) for old in give_up_oldest(fields["identity"]))
    return device


def give_up_oldest(identity: str) -> list[Device]:
    """Forgets those beyond MOST_DEVICES that nobody has registered for longest. Their bindings are to be deleted."""
    old = list(Device.objects.filter(identity=identity).order_by("-checked_at", "-pk")[MOST_DEVICES:])
    Device.objects.filter(pk__in=[device.pk for device in old]).delete()
    return old


def kept_endpoint(identity: str, address: str) -> str | None:
    return Device.objects.filter(identity=identity, address=address).values_list("endpoint", flat=True).first()


def unbind(bindings: Iterable[tuple[str, str]]) -> None:
    """Takes an address from its former identity: who is meant by that one must not be told on another's phone. By jobs,
    of each its kind and its sid."""
    delete_at_vendor(VendorDeletion.Kind.BINDING, [f"{kind}:{sid}" for kind, sid in bindings if sid])


@atomic_and_retried
def unregister_device(
    *, owner: User | None, address: str | None, endpoint: str | None, check: Callable[[], None] = lambda: None
) -> int:
    """Forgets the owner's device (anybody's where there is no owner) with this address and endpoint, one of which may
    be None, and its binding; how many there were. `check` asks for permission once more, under the person's lock."""
    own = Device.objects.all()
    if owner is not None:
        lock_rows(User.objects.filter(pk=owner.pk).only("pk"))
        own = own.filter(Q(user=owner) | Q(user=None, identity=client_identity(owner.pk)))
    check()
    named = {name: value for name, value in (("address", address), ("endpoint", endpoint)) if value}
    rows = own.filter(**named).order_by("pk")
    devices = lock_rows(rows)
    rows.filter(pk__in=[device.pk for device in devices]).delete()
    unbind((each.binding_type, each.sid) for each in devices)
    return len(devices)


def forget_binding(name: str) -> None:
    """Deletes a binding ("apn:BS…") of somebody who is gone, unless their phone is registered anew by another: wherever
    it may be kept, for another channel may have had the kind when it was made."""
    binding_type, _, sid = name.partition(":")
    if Device.objects.filter(sid=sid).exists():
        return
    for channel in channels():
        if channel.keeps_bindings and channel.serves(binding_type):
            channel.delete_binding(sid=sid)


def forget_gone_devices(*, now: datetime) -> int:
    """Asks the channels that keep bindings about devices not asked about for a week, and forgets those that they have
    dropped; how many."""
    if not settings.NOTIFICATIONS:
        return 0
    forgotten, attempts = 0, Attempts()
    kinds = [kind for channel, kinds in kinds_by_channel() if channel.keeps_bindings for kind in kinds]
    due = Device.objects.filter(checked_at__lte=now - CHECK_EVERY, binding_type__in=kinds)
    for device in due.order_by("checked_at")[:MOST_AT_ONCE]:
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
