"""Telling a group's devices something at once, as whoever asks for it waits for the answer."""

from itertools import chain
from uuid import uuid4

from groups.models import Device, Group
from groups.notifications.channels import ChannelUnavailable
from groups.notifications.pushes import in_batches, store
from groups.notifications.sending import send

CALL_STARTED = "A group chat has started."


def notify_group(*, group: Group, body: str) -> tuple[str | None, int]:
    """Tells the group's devices; the first notification's sid (None where there was nobody to tell), how many devices.

    Who is in the group is asked now, not when a device registered. The first batch of devices are told before this
    returns; raises where none of them can be. The others, and those of the first that can be told later, are jobs.
    """
    batches = list(in_batches(Device.objects.of_group(group).for_words()))
    recipients, first, others = sum(map(len, batches)), dict(chain(*batches[:1])), batches[1:]
    outcome = send(Device.objects.filter(pk__in=first), body=body, group_id=group.pk)
    if not outcome.told and (outcome.failure or outcome.missed):
        raise outcome.failure or ChannelUnavailable
    if outcome.missed:
        others.append([(device.pk, device.user_id) for device, _ in outcome.missed])
    if others:
        store(others, cause=f"message:{uuid4().hex}", body=body, group_id=group.pk)
    return next(iter(outcome.sids), None), recipients
