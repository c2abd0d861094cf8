"""Healing: Twilio is asked about conferences and legs that have been silent for too long, and ghosts go.

Safe to run twice at once: whoever asks about a row claims it first, in one statement. Twilio is never asked inside a
transaction. Where it does not answer, the run stops: the next one goes on.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from django.db import DatabaseError, transaction
from django.db.models import Max, Q, QuerySet
from django.utils import timezone
from rest_framework.exceptions import APIException

from groups.models import Group
from users.models import User
from voice.conferences.events import end_call, lock_conference, rebuild
from voice.models import Call, Conference
from voice.telephony.interface import ConferenceReport, telephony

logger = logging.getLogger(__name__)
Row = TypeVar("Row", Conference, Call)

SILENT = timedelta(minutes=2)
MOST_AT_ONCE = 500
ENOUGH_FAILURES = 3


@dataclass(slots=True)
class ReconciliationSummary:
    conferences: int = 0
    calls: int = 0
    failed: int = 0


def reconcile_calls(*, now: datetime, silent: timedelta = SILENT) -> ReconciliationSummary:
    """Asks about everything silent for longer than `silent` before `now`."""
    summary = ReconciliationSummary()
    for conference in claim_silent(Conference.objects.silent_since(now - silent), now):
        if attempt(partial(ask_about_conference, conference, now=now), summary):
            summary.conferences += 1
    for call in claim_silent(Call.objects.silent_since(now - silent), now):
        if attempt(partial(ask_about_call, call, now=now), summary):
            summary.calls += 1
    return summary


def claim_silent(rows: QuerySet[Row], now: datetime) -> Iterator[Row]:
    """The rows that no other run has claimed since they were read."""
    begun = timezone.now()
    for row in rows[:MOST_AT_ONCE]:
        claimed_at = now + (timezone.now() - begun)  # a long run must not look silent to the next one
        if type(row).objects.filter(pk=row.pk, heard_at=row.heard_at).update(heard_at=claimed_at):
            yield row


def attempt(ask: Callable[[], None], summary: ReconciliationSummary) -> bool:
    """Whether it worked. What failed is tried again by a later run; after some failures in this one, all the rest."""
    if summary.failed >= ENOUGH_FAILURES:
        return False
    try:
        ask()
    except (APIException, DatabaseError) as error:
        logger.warning("A silent call could not be asked about: %s", type(error).__name__)
        summary.failed += 1
        return False
    return True


def ask_about_conference(conference: Conference, *, now: datetime) -> None:
    """Learns who is on it, and ends it at Twilio where its group is gone."""
    known = conference.events.aggregate(highest=Max("sequence_number"))["highest"] or 0
    report = telephony().conference(sid=conference.sid)
    learn(conference, report, after=known, now=now)
    group_id = conference.group_id
    if group_id and not report.completed and not Group.objects.filter(pk=group_id).exists():
        telephony().end_conference(group_id=group_id)


@transaction.atomic
def learn(conference: Conference, report: ConferenceReport, *, after: int, now: datetime) -> None:
    """Stores what Twilio said, as of event number `after`, and brings the call list up to date."""
    conference = lock_conference(conference.sid)
    if report.completed:
        conference.completed = True
        conference.save(update_fields=["completed"])
    else:
        for sid in sorted(report.on):
            Call.objects.get_or_create(sid=sid, defaults={"group_id": conference.group_id, "created_at": now})
            Call.objects.filter(sid=sid, conference=None).update(conference=conference)
        older = conference.calls.filter(Q(seen_after=None) | Q(seen_after__lte=after))
        older.filter(sid__in=report.on).update(seen_on=True, seen_after=after, heard_at=now)
        older.exclude(sid__in=report.on).update(seen_on=False, seen_after=after)
    rebuild(conference, now=now)


def ask_about_call(call: Call, *, now: datetime) -> None:
    """Learns whether a leg has ended, and hangs up on one whose person is gone."""
    report = telephony().call(sid=call.sid)
    if report.ended:
        end_call(call, status=report.status, duration=report.duration, now=now)
    elif call.user_id and not User.objects.filter(pk=call.user_id).exists():
        telephony().end_call(call_sid=call.sid)
