"""Push notifications to a group's devices."""

import logging
from collections.abc import Iterable

from django.conf import settings
from rest_framework.exceptions import APIException

from groups.models import Device, Group
from groups.notifications.channels import Channel, Sent, kinds_by_channel
from groups.notifications.devices import forget

logger = logging.getLogger(__name__)

CALL_STARTED = "A group chat has started."


def notify_group(*, group: Group, body: str, except_for: Iterable[int | None] = ()) -> tuple[str | None, int]:
    """Tells the group's devices; the first notification's sid (None where there was nobody to tell), how many devices.

    Who is in the group is asked now, not when a device registered.
    """
    left_out = {user_id for user_id in except_for if user_id}
    devices = [device for device in Device.objects.of_group(group) if device.user_id not in left_out]
    return send(devices, body=body, group_id=group.pk), len(devices)


def send(devices: list[Device], *, body: str, group_id: int) -> str | None:
    """By each device's channel. One that fails leaves the others alone; raises where all fail."""
    sids, failures = [], []
    for channel, kinds in kinds_by_channel():
        some = [device for device in devices if device.binding_type in kinds]
        if not some:
            continue
        try:
            sent = channel.send(devices=some, body=body, group_id=group_id)
        except APIException as error:
            logger.warning("%s could not tell group %s: %s", channel.name, group_id, type(error).__name__)
            failures.append(error)
        else:
            sids.append(sent.sid)
            heed(channel, sent, group_id)
    if failures and not sids:
        raise failures[0]
    return sids[0] if sids else None


def heed(channel: Channel, sent: Sent, group_id: int) -> None:
    """Forgets the devices that are no more, and says how many were not told."""
    for device in sent.gone:
        forget(device)
    if sent.missed:
        logger.warning("%s could not tell %s devices of group %s", channel.name, len(sent.missed), group_id)


def tell_of_call(*, group_id: int, except_for: Iterable[int | None]) -> None:
    """Tells whoever can be told. Raises where no channel takes it.

    Where notifications are switched off, the server has said so when it started.
    """
    group = Group.objects.filter(pk=group_id).first()
    if group is not None and settings.NOTIFICATIONS:
        notify_group(group=group, body=CALL_STARTED, except_for=except_for)
