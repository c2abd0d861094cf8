"""Telling somebody on their phones and in their browsers: what becomes of it there is the pushes' own."""

from django.utils import timezone

from groups.device_models import DeviceQuerySet
from groups.models import Device, Push
from groups.notifications.models import Notice
from groups.notifications.notices.asking import LATEST, why_not
from groups.notifications.notices.words import words_of
from groups.notifications.pushes import Concern, push

KIND = "notice"
NO_DEVICE = "They have no device."
NOT_TAKEN = "None of their devices could be told."


def push_notice(notice: Notice) -> str:
    devices = Device.objects.of_people([notice.user_id])
    if not devices.for_words().exists():
        return NO_DEVICE
    push(
        devices,
        cause=f"{KIND}:{notice.pk}",
        body=words_of(notice).sentence,
        group_id=notice.group_id,
        until=notice.created_at + LATEST,
    )
    return ""


def still(notice_id: str, devices: DeviceQuerySet) -> DeviceQuerySet | None:
    """Asked before each try: they may have left since the first."""
    notice = Notice.objects.select_related("user", "group").filter(pk=int(notice_id)).first()
    return None if notice is None or why_not(notice, now=timezone.now()) else devices


def ended(notice_id: str, told: Push) -> None:
    if not told.told:
        Notice.objects.filter(pk=int(notice_id)).update(state=Notice.State.SPARED, why=NOT_TAKEN)


CONCERN = Concern(still=still, ended=ended)
