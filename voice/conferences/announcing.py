"""Telling a group that its call began: once, at most once a minute whatever its conferences do, and never silently not.

What is to be told is stored with the event that it follows from, and so is the job that has it told: no answer to
Twilio waits for it. How many devices could not be told while the call went on is said in the log, and in the admin.
"""

import logging
from datetime import datetime, timedelta

from django.utils import timezone
from django_tasks import task

from groups.device_models import DeviceQuerySet
from groups.models import Device, Group, Push
from groups.notifications.announcements import CALL_STARTED
from groups.notifications.pushes import push
from voice.models import Conference

logger = logging.getLogger(__name__)
Announcement = Conference.Announcement

KIND = "call"
MINUTE = timedelta(minutes=1)
LATEST = timedelta(minutes=10)
"""After so long nobody wants to hear any more that it has begun."""


def plan_announcement(conference: Conference, *, now: datetime) -> None:
    """Decides whether the group is told, and stores the job that tells it.

    Runs under the group's lock, which the call list was brought up to date under: of two conferences that begin at once
    one is announced. The caller saves the conference.
    """
    conference.notified_at = now
    recent = Conference.objects.filter(group_id=conference.group_id, notified_at__gt=now - MINUTE)
    if recent.exclude(pk=conference.pk).filter(announcement__in=(Announcement.DUE, Announcement.TOLD)).exists():
        conference.announcement = Announcement.SPARED
        return
    conference.announcement = Announcement.DUE
    announce.enqueue(conference.sid)


@task(seconds=15, tries=15, longest_wait=MINUTE)
def announce(sid: str) -> None:
    """Has the group told, as far as the call goes on, by jobs of its devices."""
    for conference in Conference.objects.filter(pk=sid, announcement=Announcement.DUE):
        tell(conference, now=timezone.now())


def tell(conference: Conference, *, now: datetime) -> None:
    until = conference.created_at + LATEST
    group = Group.objects.filter(pk=conference.group_id or 0).first()
    devices = still(conference.sid, Device.objects.of_group(group)) if group else Device.objects.none()
    if devices is None or until <= now:
        note(conference.sid, Announcement.LOST)
        return
    Conference.objects.filter(pk=conference.pk, announcement=Announcement.DUE).update(notified_at=now)
    push(
        devices,
        cause=f"{KIND}:{conference.sid}",
        body=CALL_STARTED,
        group_id=conference.group_id,
        until=until,
        is_call=True,
    )


def still(sid: str, devices: DeviceQuerySet) -> DeviceQuerySet | None:
    """Whoever is on the call knows already, and who has left the group is not told. None where the call is over."""
    conference = Conference.objects.filter(pk=sid, ended_at=None).first()
    group = conference and Group.objects.filter(pk=conference.group_id or 0).first()
    if not (conference and group):
        return None
    callers = conference.calls.filter(is_on=True, user_id__isnull=False).values("user_id")
    return devices.of_group(group).exclude(user_id__in=callers)


def ended(sid: str, told: Push) -> None:
    note(sid, Announcement.LOST if told.missed and not told.told else Announcement.TOLD)


def note(sid: str, announcement: Announcement) -> None:
    mine = Conference.objects.filter(pk=sid, announcement=Announcement.DUE)
    if mine.update(announcement=announcement) and announcement == Announcement.LOST:
        logger.error("Nobody could be told that conference %s had begun", sid)
