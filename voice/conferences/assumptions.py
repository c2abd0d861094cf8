"""What is taken to be so of a leg that Twilio does not know, once it must have ended. Whatever is told later wins."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Max
from django.db.models.functions import Coalesce

from voice.conferences.fold import State
from voice.credit.charges import lock_call
from voice.credit.endings import Ending, write_ending
from voice.models import Call, ConferenceEvent


def assume_ending(row: Call, *, now: datetime) -> bool:
    """Writes that it ended when it was last heard of: so much is known, and no more is charged.

    For its conference this counts as if Twilio had been asked: an event that comes later, by its number, wins.
    """
    events = ConferenceEvent.objects.filter(conference=row.conference_id).order_by()
    told = Coalesce("happened_at", "created_at")
    last = events.filter(call_sid=row.sid).aggregate(at=Max(told))["at"]
    if row.end_source != Call.EndSource.ASSUMED:
        row.seen_on, row.seen_after = False, events.aggregate(highest=Max("sequence_number"))["highest"] or 0
    start = row.start_time or row.created_at
    ending = Ending("completed", Call.EndSource.ASSUMED, at=max(last or start, start), start=start)
    return write_ending(row, ending, now=now)


def reassess(calls: Iterable[Call], state: State, *, now: datetime) -> None:
    """Brings what was assumed to what is known by now. Runs under the conference's lock."""
    for call in calls:
        if call.end_source == Call.EndSource.ASSUMED:
            row = lock_call(call)
            if call.sid in state.on:
                reopen(row, now=now)
            else:
                assume_ending(row, now=now)
            row.save()


def reopen(row: Call, *, now: datetime) -> None:
    row.status, row.end_source, row.end_time, row.duration = "in-progress", "", None, None
    row.price_due_at, row.heard_at = None, now
