"""Push notifications to a group's devices."""

from collections.abc import Iterable

from django.conf import settings

from core.deadline import deadline
from core.vendors import best_effort
from groups.models import Device, Group
from groups.notifications.channels import channels

ANNOUNCE_WITHIN = 5.0  # seconds
CALL_STARTED = "A group chat has started."


def notify_group(*, group: Group, body: str, except_for: Iterable[int | None] = ()) -> tuple[str | None, int]:
    """Tells the group's devices; the first notification's sid (None where there was nobody to tell), how many devices.

    Who is in the group is asked now, not when a device registered.
    """
    left_out = {user_id for user_id in except_for if user_id}
    devices = [device for device in Device.objects.of_group(group) if device.user_id not in left_out]
    served = [(channel, [each for each in devices if channel.serves(each.binding_type)]) for channel in channels()]
    sids = [channel.send(devices=some, body=body, group_id=group.pk) for channel, some in served if some]
    return (sids[0] if sids else None), len(devices)


def announce_call(*, group_id: int, except_for: Iterable[int | None]) -> None:
    """A call without its announcement is still a call: a failure is logged, no more.

    Twilio waits for our answer meanwhile, and asks again where it comes too late. Where notifications are switched off,
    the server has said so when it started.
    """
    if not settings.NOTIFICATIONS:
        return
    group = Group.objects.filter(pk=group_id).first()
    if group is None:
        return
    with best_effort(f"tell group {group_id} that its call started"), deadline(ANNOUNCE_WITHIN):
        notify_group(group=group, body=CALL_STARTED, except_for=except_for)
