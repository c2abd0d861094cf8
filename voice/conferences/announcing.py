"""Telling a group that its call began: once, at most once a minute whatever its conferences do, and never silently not.

What is to be told is stored with the event that it follows from, and sent after the commit. Where that fails, or the
process is killed before, `manage.py reconcile_calls` tells it while the call goes on, and says what it could not.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from core.attempts import Attempts
from groups.notifications.announcements import announce_call, tell_of_call
from voice.models import Conference

logger = logging.getLogger(__name__)
Announcement = Conference.Announcement

MINUTE = timedelta(minutes=1)
CLAIM = timedelta(seconds=30)
LATEST = timedelta(minutes=10)
"""After so long nobody wants to hear any more that it has begun."""
MOST_AT_ONCE = 500


def plan_announcement(conference: Conference, callers: Iterable[int | None], *, now: datetime) -> None:
    """Decides whether the group is told, and tells it after the commit; `callers` know already.

    Runs under the group's lock, which the call list was brought up to date under: of two conferences that begin at once
    one is announced. The caller saves the conference.
    """
    conference.notified_at = now
    recent = Conference.objects.filter(group_id=conference.group_id, notified_at__gt=now - MINUTE)
    if recent.exclude(pk=conference.pk).filter(announcement__in=(Announcement.DUE, Announcement.TOLD)).exists():
        conference.announcement = Announcement.SPARED
        return
    conference.announcement = Announcement.DUE
    sid, left_out = conference.sid, list(callers)
    transaction.on_commit(lambda: announce(sid, left_out), robust=True)


def announce(sid: str, callers: Iterable[int | None]) -> None:
    group_id = Conference.objects.get(pk=sid).group_id
    if announce_call(group_id=group_id or 0, except_for=callers):
        note_told(sid)


def note_told(sid: str) -> None:
    Conference.objects.filter(pk=sid, announcement=Announcement.DUE).update(announcement=Announcement.TOLD)


@dataclass(slots=True)
class AnnouncementSummary:
    told: int = 0
    failed: int = 0
    left: int = 0
    """How many are still to be told."""


def announce_again(*, now: datetime) -> AnnouncementSummary:
    """Tells what was to be told and was not, as far as the calls go on. For each minute.

    Tried least recently comes first, so that those that always fail hold up no others.
    """
    summary, attempts, begun = AnnouncementSummary(), Attempts(), timezone.now()
    due = Conference.objects.filter(announcement=Announcement.DUE)
    for conference in due.filter(notified_at__lte=now - CLAIM).order_by("notified_at")[:MOST_AT_ONCE]:
        if attempts.is_over:
            break
        with attempts.one(f"tell that conference {conference.sid} has begun"):
            summary.told += announce_late(conference, now=now + (timezone.now() - begun))
    summary.failed, summary.left = attempts.failed, due.count()
    return summary


def announce_late(conference: Conference, *, now: datetime) -> bool:
    """Whether it is told. Raises where no channel takes it."""
    mine = Conference.objects.filter(
        pk=conference.pk, announcement=Announcement.DUE, notified_at=conference.notified_at
    )
    if conference.ended_at or conference.created_at <= now - LATEST:
        if mine.update(announcement=Announcement.LOST):
            logger.error("Nobody could be told that conference %s had begun", conference.sid)
        return False
    if not mine.update(notified_at=now):  # another run has it
        return False
    callers = conference.calls.filter(is_on=True).values_list("user_id", flat=True)
    tell_of_call(group_id=conference.group_id or 0, except_for=callers)
    note_told(conference.sid)
    return True
