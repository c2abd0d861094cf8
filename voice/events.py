"""What Twilio's callbacks say, stored once, and the call list that follows from it.

The state is rebuilt from all stored events and facts at each new one, and the database follows it by difference: a
repeated or late event changes nothing that it should not. Locks: the conference, then the group, then people.
"""

import logging
import re
from collections.abc import Mapping
from datetime import datetime
from functools import partial

from django.db import transaction

from groups.models import Group
from groups.services import set_on_call
from users.models import User
from voice.conference_state import Facts, State, fold
from voice.models import Call, Conference, ConferenceEvent
from voice.notifications import announce_call
from voice.prices import FIRST_WAIT

logger = logging.getLogger(__name__)

SID = re.compile("[A-Za-z0-9_]{1,64}")
LARGEST_ID = 2**63 - 1
ENDED = ("completed", "busy", "failed", "no-answer", "canceled")
"""https://www.twilio.com/docs/voice/api/call-resource#call-status-values"""


@transaction.atomic
def receive_conference_event(params: Mapping[str, str], *, now: datetime) -> None:
    """Stores a conference status callback and brings the call list up to date. Never refuses an authentic one."""
    sid, group_id = params.get("ConferenceSid", ""), number(params.get("FriendlyName", ""))
    if not SID.fullmatch(sid) or group_id is None:
        logger.warning("A conference event without a usable ConferenceSid or FriendlyName was left aside")
        return
    Conference.objects.get_or_create(pk=sid, defaults={"group_id": group_id, "created_at": now})
    conference = Conference.objects.select_for_update(no_key=True).get(pk=sid)
    if store(conference, params, now=now):
        rebuild(conference, now=now)


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


@transaction.atomic
def receive_call_event(params: Mapping[str, str], *, now: datetime) -> None:
    """Notes how a leg goes and ends, by the call status callback. An unknown CallSid is logged."""
    call = Call.objects.filter(sid=params.get("CallSid", "")).first()
    if call is None:
        logger.warning("A call event for a call that is not known was left aside")
        return
    conference = (
        Conference.objects.select_for_update(no_key=True).get(pk=call.conference_id) if call.conference_id else None
    )
    call = Call.objects.select_for_update(no_key=True).get(pk=call.pk)
    status = params.get("CallStatus", "")
    if call.end_time is not None or status not in (*ENDED, "in-progress", "ringing", "queued"):
        return
    call.status = status
    if status in ENDED:
        call.end_time, call.duration = now, number(params.get("CallDuration", "")) or 0
        call.price_due_at = now + FIRST_WAIT
    call.save()
    if conference and status in ENDED:
        rebuild(conference, now=now)


def rebuild(conference: Conference, *, now: datetime) -> None:
    """Brings legs, participants and call statuses to what the stored events and facts say. Runs under its lock."""
    state = current_state(conference)
    calls = legs(conference, state)
    changed = {call.pk for call in calls if call.is_on != (call.sid in state.on)}
    for call in calls:
        if call.pk in changed:
            call.is_on = call.sid in state.on
            call.start_time = call.start_time or now
            call.save(update_fields=["is_on", "start_time"])
    follow(conference, state, calls, changed)
    if state.ended and conference.ended_at is None:
        conference.ended_at = now
    if state.on and conference.notified_at is None:
        conference.notified_at = now
        joined = [call.user_id for call in calls if call.sid in state.on]
        transaction.on_commit(partial(announce_call, group_id=conference.group_id, except_for=joined), robust=True)
    conference.save()


def current_state(conference: Conference) -> State:
    rows = conference.events.exclude(sequence_number=None)
    completed = conference.calls.exclude(end_time=None).values_list("sid", flat=True)
    return fold((row.numbered() for row in rows), Facts(frozenset(completed), conference.completed))


def legs(conference: Conference, state: State) -> list[Call]:
    """The conference's legs. Whose call never came through makeCall is on it all the same, as nobody we know."""
    for sid in conference.events.exclude(call_sid="").values_list("call_sid", flat=True).distinct():
        Call.objects.get_or_create(sid=sid, defaults={"group_id": conference.group_id})
        Call.objects.filter(sid=sid, conference=None).update(conference=conference)
    return list(conference.calls.order_by("pk"))


def follow(conference: Conference, state: State, calls: list[Call], changed: set[int]) -> None:
    """Whoever has, or had, a leg in a running conference is on the group's list as Twilio says."""
    people = {call.user_id for call in calls if call.user_id and (call.pk in changed or not state.ended)}
    if not people and not changed:
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
