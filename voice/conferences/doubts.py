""" "Not found" is doubt, not fact. Twilio does not know a leg or a conference where another region or subaccount is
asked, or a rotated key. It is asked again, less and less often, and stands as it was told meanwhile: a leg in doubt
counts as running. It is closed only when it must have ended, as the time limits say (`voice/credit/limits.py`).
"""

import logging
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max, QuerySet

from core.transactions import atomic_and_retried
from voice.conferences.assumptions import assume_ending
from voice.conferences.events import change_leg, lock_conference
from voice.conferences.missed import plan_missed
from voice.credit.limits import FOUR_HOURS, MINUTE
from voice.models import HOUR, Call, Conference

logger = logging.getLogger(__name__)

LONGEST_LEG = timedelta(seconds=FOUR_HOURS + MINUTE)
"""From its makeCall on: within a minute of that Twilio begins to count the time limit."""
SHORTEST_WAIT = timedelta(minutes=2)


def doubt_call(call: Call, *, now: datetime) -> None:
    ends = call.created_at + LONGEST_LEG
    if now < ends:
        put_in_doubt(call, Call.objects.running(), until=ends, now=now)
    else:
        close_call(call, now=now)


def close_call(call: Call, *, now: datetime) -> None:
    """Takes a leg to have ended when it was last heard of, unless its end is known."""

    def close(row: Call) -> bool:
        row.doubted_at = row.doubted_at or now
        return row.end_time is None and assume_ending(row, now=now)

    logger.error("Call %s is closed: its time limit is over, and Twilio has not said that it ended", call.sid)
    change_leg(call, close, now=now)


def doubt_conference(conference: Conference, *, now: datetime) -> None:
    """It must have ended when its last leg must have."""
    told = conference.events.aggregate(heard=Max("created_at"), happened=Max("happened_at"))
    legs = conference.calls.aggregate(last=Max("created_at"))
    last = max(time for time in (conference.created_at, told["heard"], legs["last"]) if time)
    if now < last + LONGEST_LEG:
        put_in_doubt(conference, Conference.objects.filter(ended_at=None), until=last + LONGEST_LEG, now=now)
    else:
        close_conference(conference, at=told["happened"] or last, now=now)


@atomic_and_retried
def close_conference(conference: Conference, *, at: datetime, now: datetime) -> None:
    logger.error("Conference %s is closed: it must have ended, and Twilio has not said so", conference.sid)
    conference = lock_conference(conference.sid)
    if conference.ended_at is None and conference.notified_at:
        plan_missed(conference, now=now)
    conference.ended_at = conference.ended_at or at
    conference.doubted_at, conference.ask_again_at = conference.doubted_at or now, None
    conference.save(update_fields=["ended_at", "doubted_at", "ask_again_at"])


def put_in_doubt(row: Call | Conference, running: QuerySet[Any], *, until: datetime, now: datetime) -> None:
    """Each wait is as long as the doubt has lasted: from two minutes to an hour."""
    since = row.doubted_at or now
    again = now + min(max(now - since, SHORTEST_WAIT), HOUR)
    running.filter(pk=row.pk).update(doubted_at=since, ask_again_at=min(again, until))
    if now - since >= HOUR:
        logger.error("%s is not known to Twilio for an hour: look at the region, the subaccount and the key", row)
