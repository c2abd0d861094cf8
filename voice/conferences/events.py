"""What Twilio's callbacks say, stored once, and the call list that follows from it.

The state is rebuilt from all stored events and facts at each new one, and the database follows it by difference: a
repeated or late event changes nothing that it should not. Locks: the conference, then its legs, then the group,
then people in the order of their ids.
"""

import logging
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from itertools import starmap
from typing import Any

from django.db import transaction

from core.wire import LARGEST_ID
from groups.models import Group
from groups.notifications.announcements import announce_call
from groups.services import set_on_call
from voice.conferences.fold import Facts, NumberedEvent, Sighting, State, fold
from voice.conferences.presence import set_call_status, without_a_leg
from voice.credit.prices import FIRST_WAIT
from voice.hang_ups import hang_up_on_unwelcome
from voice.models import Call, Conference, ConferenceEvent
from voice.telephony.interface import ENDED

logger = logging.getLogger(__name__)

SID = re.compile("[A-Za-z0-9_]{1,64}")
LONGEST_CALL = 2**31 - 1  # seconds: what the column holds


@transaction.atomic
def receive_conference_event(params: Mapping[str, str], *, now: datetime) -> None:
    """Stores a conference status callback and brings the call list up to date. Never refuses an authentic one."""
    sid, group_id = params.get("ConferenceSid", ""), number(params.get("FriendlyName", ""))
    if not SID.fullmatch(sid):
        logger.warning("A conference event without a usable ConferenceSid was left aside")
        return
    conference = begin_conference(sid, group_id, now=now)
    if store(conference, params, now=now):
        conference.heard_at = now
        rebuild(conference, now=now)


def begin_conference(sid: str, group_id: int | None, *, now: datetime) -> Conference:
    """The conference, locked; made with its first event."""
    known = Conference.objects.select_for_update(no_key=True).filter(pk=sid).first()
    if known:
        return known
    Conference.objects.get_or_create(pk=sid, defaults={"group_id": group_id, "created_at": now})
    return lock_conference(sid)


def lock_conference(sid: str) -> Conference:
    return Conference.objects.select_for_update(no_key=True).get(pk=sid)


def store(conference: Conference, params: Mapping[str, str], *, now: datetime) -> bool:
    """Whether the event is new. Of two with one number the first counts; one without a number is only kept.

    Runs under the conference's lock: nobody else stores an event of it meanwhile.
    """
    sequence_number = number(params.get("SequenceNumber", ""))
    if sequence_number is not None and conference.events.filter(sequence_number=sequence_number).exists():
        return False
    call_sid = params.get("CallSid", "")
    fields = {
        "kind": params.get("StatusCallbackEvent", "")[:64],
        "call_sid": call_sid if SID.fullmatch(call_sid) else "",
        "payload": dict(params),
        "created_at": now,
    }
    if sequence_number is None:
        logger.warning("Conference %s sent an event without a usable number", conference.sid)
    ConferenceEvent.objects.create(conference=conference, sequence_number=sequence_number, **fields)
    return sequence_number is not None


def receive_call_event(params: Mapping[str, str], *, now: datetime) -> None:
    """Notes that a leg has ended, by the call status callback. That of an unknown leg is kept for when it is known."""
    sid, status = params.get("CallSid", ""), params.get("CallStatus", "")
    if not SID.fullmatch(sid) or status not in ENDED:
        logger.info("A call event that ends no call was left aside")
        return
    call, is_new = Call.objects.get_or_create(sid=sid)
    if is_new:
        logger.warning("Call %s ended before it was known", sid)
    duration = min(number(params.get("CallDuration", "")) or 0, LONGEST_CALL)
    end_call(call, status=status, duration=duration, now=now)


def end_call(call: Call, *, status: str, duration: int, now: datetime) -> None:
    """Writes that a leg has ended, once, and brings its conference up to date. `duration` is in seconds."""

    def end(row: Call) -> bool:
        if row.end_time is not None:
            return False
        row.status, row.duration, row.end_time = status, duration, now
        row.start_time, row.heard_at = now - timedelta(seconds=duration), now
        if status == "completed":
            row.price_due_at = now + FIRST_WAIT
        else:  # nobody answered, or it failed: that costs nothing
            row.price_micros = 0
        return True

    change_leg(call, end, now=now)


def adopt_leg(call: Call, fields: Mapping[str, Any], *, now: datetime) -> None:
    """Completes a leg of which only the sid was known, because its events came before its makeCall."""

    def adopt(row: Call) -> bool:
        for name, value in fields.items():
            setattr(row, name, value)
        return True

    change_leg(call, adopt, now=now, adopted=call.pk)


def change_leg(call: Call, change: Callable[[Call], bool], *, now: datetime, adopted: int | None = None) -> None:
    """Changes a leg and brings its conference up to date. `change` says whether there was something to change."""
    while not try_to_change(call, change, now=now, adopted=adopted):
        call.refresh_from_db(fields=["conference"])


@transaction.atomic
def try_to_change(call: Call, change: Callable[[Call], bool], *, now: datetime, adopted: int | None) -> bool:
    """False where an event has put the leg on a conference since it was read: that must be locked first."""
    conference = lock_conference(call.conference_id) if call.conference_id else None
    row = Call.objects.select_for_update(no_key=True).get(pk=call.pk)
    if row.conference_id != call.conference_id:
        return False
    if change(row):
        row.save()
        if conference:
            rebuild(conference, now=now, adopted=adopted)
    return True


def rebuild(conference: Conference, *, now: datetime, adopted: int | None = None) -> None:
    """Brings legs, participants and call statuses to what the stored events and facts say. Runs under its lock."""
    events = numbered_events(conference)
    calls = adopt_unknown_legs(conference, events)
    state = fold(events, facts(conference, calls))
    changed = {call.pk for call in calls if call.is_on != (call.sid in state.on)}
    for call in calls:
        if call.pk in changed:
            call.is_on = call.sid in state.on
            call.start_time = call.start_time or now
            call.save(update_fields=["is_on", "start_time"])
    touched: set[int | None] = {*changed, adopted}
    ends = state.ended and conference.ended_at is None
    follow(conference, state, calls, touched, ends=ends)
    if new := [call.sid for call in calls if call.pk in changed and call.is_on]:
        hang_up_on_unwelcome(new)
    if state.ended and conference.ended_at is None:
        conference.ended_at = now
    if state.on and conference.notified_at is None:
        conference.notified_at = now
        joined = [call.user_id for call in calls if call.sid in state.on]
        group_id = conference.group_id or 0
        transaction.on_commit(lambda: announce_call(group_id=group_id, except_for=joined), robust=True)
    conference.save()


def facts(conference: Conference, calls: list[Call]) -> Facts:
    return Facts(
        completed_calls=frozenset(call.sid for call in calls if call.end_time),
        conference_completed=conference.completed,
        sightings=tuple(
            Sighting(call.seen_after or 0, call.sid, call.seen_on) for call in calls if call.seen_on is not None
        ),
    )


def numbered_events(conference: Conference) -> list[NumberedEvent]:
    rows = conference.events.numbered().order_by().values_list("sequence_number", "kind", "call_sid")
    return list(starmap(NumberedEvent, rows))


def adopt_unknown_legs(conference: Conference, events: list[NumberedEvent]) -> list[Call]:
    """The conference's legs. Whose call never came through makeCall is on it all the same, as nobody we know."""
    calls = list(conference.calls.order_by("pk"))
    new = {event.call_sid for event in events} - {call.sid for call in calls} - {""}
    if not new:
        return calls
    for sid in sorted(new):
        Call.objects.get_or_create(sid=sid, defaults={"group_id": conference.group_id})
    Call.objects.filter(sid__in=new, conference=None).update(conference=conference)
    return list(conference.calls.order_by("pk"))


def follow(
    conference: Conference, state: State, calls: list[Call], changed: set[int | None], *, ends: bool = False
) -> None:
    """Whoever has, or had, a leg in a running conference is on the group's list as Twilio says. When a group's call
    `ends`, so is everybody else on it."""
    people = {call.user_id for call in calls if call.user_id and (call.pk in changed or not state.ended)}
    if not people and not ends and not any(call.pk in changed for call in calls):
        return
    moved = {call.user_id for call in calls if call.user_id and call.pk in changed}
    group = Group.objects.select_for_update(no_key=True).filter(pk=conference.group_id or 0).first()
    running = list(Call.objects.filter(is_on=True, group_id=conference.group_id).values_list("user_id", flat=True))
    if group:
        ghosts = without_a_leg(group) if ends and not running else set()
        here = {user_id for user_id in running if user_id in people}
        set_on_call(group=group, people=people | ghosts, on=here, anyone=bool(running))
        moved |= ghosts
    set_call_status(moved)


def number(text: str) -> int | None:
    """A whole number that fits a column, else None."""
    is_number = text.isascii() and text.isdigit() and len(text) <= 19 and int(text) <= LARGEST_ID
    return int(text) if is_number else None
