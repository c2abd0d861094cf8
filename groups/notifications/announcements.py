"""Push notifications to a group's devices."""

import logging
from collections.abc import Iterable

from django.conf import settings
from rest_framework.exceptions import APIException

from groups.models import Device, Group
from groups.notifications.channels import channels

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
    """By each channel that serves some of them. One that fails leaves the others alone; raises where all fail."""
    sids, failures = [], []
    for channel in channels():
        if some := [device for device in devices if channel.serves(device.binding_type)]:
            try:
                sids.append(channel.send(devices=some, body=body, group_id=group_id))
            except APIException as error:
                logger.warning("%s could not tell group %s: %s", channel.name, group_id, type(error).__name__)
                failures.append(error)
    if failures and not sids:
        raise failures[0]
    return sids[0] if sids else None


def tell_of_call(*, group_id: int, except_for: Iterable[int | None]) -> None:
    """Tells whoever can be told. Raises where no channel takes it.

    Where notifications are switched off, the server has said so when it started.
    """
    group = Group.objects.filter(pk=group_id).first()
    if group is not None and settings.NOTIFICATIONS:
        notify_group(group=group, body=CALL_STARTED, except_for=except_for)
