"""What Twilio's callbacks say, stored once, and the call list that follows from it.

The state is rebuilt from all stored events and facts at each new one, and the database follows it by difference: a
repeated or late event changes nothing that it should not. Locks: the conference, then the group, then people.
"""

import logging
import re
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction

from groups.models import Group
from groups.services import set_on_call
from users.models import User
from voice.conference_state import Facts, State, fold
from voice.models import Call, Conference, ConferenceEvent
from voice.notifications import announce_call
from voice.prices import FIRST_WAIT
from voice.telephony import ENDED

logger = logging.getLogger(__name__)

SID = re.compile("[A-Za-z0-9_]{1,64}")
LARGEST_ID = 2**63 - 1
LONGEST_CALL = 2**31 - 1  # seconds: what the column holds


@transaction.atomic
def receive_conference_event(params: Mapping[str, str], *, now: datetime) -> None:
    """Stores a conference status callback and brings the call list up to date. Never refuses an authentic one."""
    sid, group_id = params.get("ConferenceSid", ""), number(params.get("FriendlyName", ""))
    if not SID.fullmatch(sid) or group_id is None:
        logger.warning("A conference event without a usable ConferenceSid or FriendlyName was left aside")
        return
    Conference.objects.get_or_create(pk=sid, defaults={"group_id": group_id, "created_at": now})
    conference = lock_conference(sid)
    if store(conference, params, now=now):
        conference.heard_at = now
        rebuild(conference, now=now)


def lock_conference(sid: str) -> Conference:
    return Conference.objects.select_for_update(no_key=True).get(pk=sid)


def store(conference: Conference, params: Mapping[str, str], *, now: datetime) -> bool:
    """Whether the event is new. Of two with one number the first counts; one without a number is only kept."""
    sequence_number = number(params.get("SequenceNumber", ""))
    call_sid = params.get("CallSid", "")
    fields = {
        "kind": params.get("StatusCallbackEvent", "")[:64],
        "call_sid": call_sid if SID.fullmatch(call_sid) else "",
        "payload": {name: value.replace("\x00", "") for name, value in params.items()},
        "created_at": now,
    }
    if sequence_number is None:
        logger.warning("Conference %s sent an event without a usable number", conference.sid)
        ConferenceEvent.objects.create(conference=conference, **fields)
        return False
    _, is_new = ConferenceEvent.objects.get_or_create(
        conference=conference, sequence_number=sequence_number, defaults=fields
    )
    return is_new


def receive_call_event(params: Mapping[str, str], *, now: datetime) -> None:
    """Notes that a leg has ended, by the call status callback. An unknown CallSid is logged."""
    call = Call.objects.filter(sid=params.get("CallSid", "")).first()
    status = params.get("CallStatus", "")
    if call is None:
        logger.warning("A call event for a call that is not known was left aside")
    elif status in ENDED:
        duration = min(number(params.get("CallDuration", "")) or 0, LONGEST_CALL)
        end_call(call, status=status, duration=duration, now=now)


@transaction.atomic
def end_call(call: Call, *, status: str, duration: int, now: datetime) -> None:
    """Writes that a leg has ended, once, and brings its conference up to date. `duration` is in seconds."""
    conference = lock_conference(call.conference_id) if call.conference_id else None
    call = Call.objects.select_for_update(no_key=True).get(pk=call.pk)
    if call.end_time is not None:
        return
    call.status, call.duration, call.end_time = status, duration, now
    call.heard_at, call.price_due_at = now, now + FIRST_WAIT
    call.save()
    if conference:
        rebuild(conference, now=now)


@transaction.atomic
def adopt_leg(call: Call, fields: Mapping[str, Any], *, now: datetime) -> None:
    """Completes a leg of which only the sid was known, because its events came before its makeCall."""
    conference = lock_conference(call.conference_id) if call.conference_id else None
    Call.objects.filter(pk=call.pk).update(**fields)
    if conference:
        rebuild(conference, now=now, adopted=call.pk)


def rebuild(conference: Conference, *, now: datetime, adopted: int | None = None) -> None:
    """Brings legs, participants and call statuses to what the stored events and facts say. Runs under its lock."""
    calls = legs(conference)
    state = current_state(conference)
    changed = {call.pk for call in calls if call.is_on != (call.sid in state.on)}
    for call in calls:
        if call.pk in changed:
            call.is_on = call.sid in state.on
            call.start_time = call.start_time or now
            call.save(update_fields=["is_on", "start_time"])
    touched: set[int | None] = {*changed, adopted}
    follow(conference, state, calls, touched)
    if state.ended and conference.ended_at is None:
        conference.ended_at = now
    if state.on and conference.notified_at is None:
        conference.notified_at = now
        joined = [call.user_id for call in calls if call.sid in state.on]
        transaction.on_commit(partial(announce_call, group_id=conference.group_id, except_for=joined), robust=True)
    conference.save()


def current_state(conference: Conference) -> State:
    rows = conference.events.exclude(sequence_number=None)
    calls = list(conference.calls.all())
    facts = Facts(
        completed_calls=frozenset(call.sid for call in calls if call.end_time),
        conference_completed=conference.completed,
        sightings=tuple(sighting for call in calls if (sighting := call.sighting())),
    )
    return fold((row.numbered() for row in rows), facts)


def legs(conference: Conference) -> list[Call]:
    """The conference's legs. Whose call never came through makeCall is on it all the same, as nobody we know."""
    for sid in conference.events.exclude(call_sid="").values_list("call_sid", flat=True).distinct():
        Call.objects.get_or_create(sid=sid, defaults={"group_id": conference.group_id})
        Call.objects.filter(sid=sid, conference=None).update(conference=conference)
    return list(conference.calls.order_by("pk"))


def follow(conference: Conference, state: State, calls: list[Call], changed: set[int | None]) -> None:
    """Whoever has, or had, a leg in a running conference is on the group's list as Twilio says."""
    people = {call.user_id for call in calls if call.user_id and (call.pk in changed or not state.ended)}
    if not people and not any(call.pk in changed for call in calls):
        return
    group = Group.objects.select_for_update(no_key=True).filter(pk=conference.group_id).first()
    running = Call.objects.filter(is_on=True, group_id=conference.group_id)
    here = {call.user_id for call in running.filter(user_id__in=people) if call.user_id}
    if group:
        set_on_call(group=group, people=people, on=here, anyone=running.exists())
    moved = {call.user_id for call in calls if call.user_id and call.pk in changed}
    anywhere = set(Call.objects.filter(is_on=True, user_id__in=moved).values_list("user_id", flat=True))
    for user_id in sorted(moved):
        User.objects.filter(pk=user_id).update(call_status=user_id in anywhere)


def number(text: str) -> int | None:
    """A whole number that fits a column, else None."""
    is_number = text.isascii() and text.isdigit() and len(text) <= 19 and int(text) <= LARGEST_ID
    return int(text) if is_number else None
