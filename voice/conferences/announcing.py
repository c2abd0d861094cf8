"""Telling a group that its call began: once, at most once a minute whatever its conferences do, and never silently not.

What is to be told is stored with the event that it follows from, and so is the job that tells it: no answer to Twilio
waits for it. What it could not tell while the call went on is said in the log, and in the admin.
"""

import logging
from datetime import datetime, timedelta

from django.utils import timezone
from django_tasks import task

from groups.notifications.announcements import tell_of_call
from voice.models import Conference

logger = logging.getLogger(__name__)
Announcement = Conference.Announcement

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
    """Tells the group, as far as the call goes on; whoever is on it knows already. Raises where no channel takes it: it
    is tried again until nobody wants to hear it any more."""
    for conference in Conference.objects.filter(pk=sid, announcement=Announcement.DUE):
        tell(conference, now=timezone.now())


def tell(conference: Conference, *, now: datetime) -> None:
    """Raises where no channel takes it."""
    mine = Conference.objects.filter(pk=conference.pk, announcement=Announcement.DUE)
    if conference.ended_at or conference.created_at <= now - LATEST:
        if mine.update(announcement=Announcement.LOST):
            logger.error("Nobody could be told that conference %s had begun", conference.sid)
        return
    mine.update(notified_at=now)
    callers = conference.calls.filter(is_on=True).values_list("user_id", flat=True)
    tell_of_call(group_id=conference.group_id or 0, except_for=callers)
    mine.update(announcement=Announcement.TOLD)
