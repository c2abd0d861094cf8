"""Healing: Twilio is asked about conferences and legs that have been silent for too long, and ghosts go.

Safe to run twice at once: whoever asks about a row claims it first, in one statement. Twilio is never asked inside a
transaction. Where it has failed to answer three times in a row, the run stops: the next one goes on.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from django.db.models import Max, Q, QuerySet
from django.utils import timezone

from core.attempts import Attempts
from core.transactions import atomic_and_retried
from groups.models import Group
from users.models import User
from voice.conferences.doubts import doubt_call, doubt_conference
from voice.conferences.events import lock_conference, rebuild, write_end
from voice.conferences.muted import learn_muted
from voice.credit.endings import answer
from voice.models import Call, Conference
from voice.telephony.interface import ConferenceReport, telephony

Row = TypeVar("Row", Conference, Call)

SILENT = timedelta(minutes=2)
MOST_AT_ONCE = 500


@dataclass(slots=True)
class ReconciliationSummary:
    conferences: int = 0
    calls: int = 0
    failed: int = 0
    in_doubt: int = 0
    """How many conferences and calls Twilio has not known for an hour."""


def reconcile_calls(*, now: datetime, silent: timedelta = SILENT) -> ReconciliationSummary:
    """Asks about everything silent for longer than `silent` before `now`."""
    summary, attempts = ReconciliationSummary(), Attempts()
    for conference in claim_silent(Conference.objects.silent_since(now - silent, now=now), now, attempts):
        with attempts.one(f"ask about conference {conference.sid}"):
            ask_about_conference(conference, now=now)
            summary.conferences += 1
    for call in claim_silent(Call.objects.silent_since(now - silent, now=now), now, attempts):
        with attempts.one(f"ask about call {call.sid}"):
            ask_about_call(call, now=now)
            summary.calls += 1
    summary.failed = attempts.failed
    summary.in_doubt = Conference.objects.long_in_doubt(now).count() + Call.objects.long_in_doubt(now).count()
    return summary


def claim_silent(rows: QuerySet[Row], now: datetime, attempts: Attempts) -> Iterator[Row]:
    """The rows that no other run has claimed since they were read; none any more once the run is over."""
    begun = timezone.now()
    for row in rows[:MOST_AT_ONCE]:
        if attempts.is_over:
            return
        claimed_at = now + (timezone.now() - begun)  # a long run must not look silent to the next one
        if type(row).objects.filter(pk=row.pk, heard_at=row.heard_at).update(heard_at=claimed_at):
            yield row


def ask_about_conference(conference: Conference, *, now: datetime) -> None:
    """Learns who is on it, and ends it at Twilio where its group is gone."""
    known = conference.events.aggregate(highest=Max("sequence_number"))["highest"] or 0
    report = telephony().conference(sid=conference.sid)
    if report is None:
        doubt_conference(conference, now=now)
        return
    learn(conference, report, after=known, now=now)
    group_id = conference.group_id
    if group_id and not report.completed and not Group.objects.filter(pk=group_id).exists():
        telephony().end_conference(sid=conference.sid)


@atomic_and_retried
def learn(conference: Conference, report: ConferenceReport, *, after: int, now: datetime) -> None:
    """Stores what Twilio said, as of event number `after`, and brings the call list up to date."""
    conference = lock_conference(conference.sid)
    conference.doubted_at = conference.ask_again_at = None
    if report.completed:
        conference.completed = True
    else:
        for sid in sorted(report.on):
            Call.objects.get_or_create(sid=sid, defaults={"group_id": conference.group_id, "created_at": now})
            Call.objects.filter(sid=sid, conference=None).update(conference=conference)
        older = conference.calls.filter(Q(seen_after=None) | Q(seen_after__lte=after))
        known = {"doubted_at": None, "ask_again_at": None, "heard_at": now}
        older.filter(sid__in=report.on).update(seen_on=True, seen_after=after, **known)
        older.exclude(sid__in=report.on).update(seen_on=False, seen_after=after)
        learn_muted(Call.objects.filter(conference=conference), report.muted, after=after)
    rebuild(conference, now=now, ended_at=report.end_time)


def ask_about_call(call: Call, *, now: datetime) -> None:
    """Learns whether a leg has ended, and hangs up on one whose person is gone."""
    report = telephony().call(sid=call.sid)
    if report is None:
        doubt_call(call, now=now)
    elif report.ended:
        write_end(call, answer(report), now=now)
    else:
        Call.objects.filter(pk=call.pk, doubted_at__isnull=False).update(doubted_at=None, ask_again_at=None)
        if call.user_id and not User.objects.filter(pk=call.user_id).exists():
            telephony().end_call(call_sid=call.sid)
