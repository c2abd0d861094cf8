"""What Twilio's callbacks say, stored once, and the call list that follows from it.

The state of a leg is rebuilt from all that is stored about it at each new event or fact, and the database follows it by
difference: a repeated or late event changes nothing that it should not. Locks: the conference, then its legs, then the
payer's account (where a leg is adopted), then the group, then people in the order of their ids.
"""

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Min, Q
from django.utils import timezone
from django_tasks import task

from core.attempts import Attempts
from core.conference_names import group_of_conference
from core.transactions import atomic_and_retried, lock_rows
from core.wire import number_in
from groups.models import Group
from groups.services import set_on_call
from voice.captions.messages import learn_of_announcement
from voice.captions.switch import end_with_call
from voice.conferences.alone import note_who_is_alone
from voice.conferences.announcing import plan_announcement
from voice.conferences.assumptions import reassess
from voice.conferences.fold import COMES_BACK, Facts, NumberedEvent, Sighting, State, SteppedOut, fold
from voice.conferences.missed import plan_missed
from voice.conferences.moving import bring_over
from voice.conferences.presence import set_call_status, without_a_leg
from voice.credit.charges import lock_call
from voice.credit.endings import Ending, can_be, write_ending
from voice.credit.prices import ask_for_price
from voice.hang_ups import hang_up_on_unwelcome
from voice.models import JOIN, LEAVE, Call, Conference, ConferenceEvent, GroupCall
from voice.ring_outcomes import settle_ring, stop_rings
from voice.telephony.fields import SID
from voice.telephony.interface import ENDED
from voice.telephony.times import read_time

logger = logging.getLogger(__name__)

ANNOUNCED = {"announcement-end": True, "announcement-fail": False}
"""Whether it was spoken. https://www.twilio.com/docs/voice/twiml/conference#attributes-statusCallbackEvent"""
KEPT = {
    *("AccountSid", "CallSid", "CallSidEndingConference", "Coaching", "ConferenceSid"),
    *("EndConferenceOnExit", "EventName", "FriendlyName", "Hold", "Muted"),
    *("ParticipantCallStatus", "ParticipantLabel", "Reason", "ReasonConferenceEnded", "ReasonParticipantLeft"),
    *("SequenceNumber", "StartConferenceOnEnter", "StatusCallbackEvent", "Timestamp"),
}
"""What is kept of what Twilio tells: nothing by which a person is known.

https://www.twilio.com/docs/voice/twiml/conference#attributes-statusCallback
"""
GOES_ON = "in-progress"
MINUTE = timedelta(minutes=1)


@atomic_and_retried
def receive_conference_event(params: Mapping[str, str], *, now: datetime) -> None:
    """Stores a conference status callback and brings the call list up to date. Never refuses an authentic one."""
    sid, group_id = params.get("ConferenceSid", ""), group_of_conference(params.get("FriendlyName", ""))
    if not SID.fullmatch(sid) or (group_id is None and not Conference.objects.filter(pk=sid).exists()):
        logger.warning("An event of a conference that is no group's of this server was left aside")
        return
    conference = begin_conference(sid, group_id, now=now)
    event = store(conference, params, now=now)
    if event:
        conference.heard_at = now
        if event.kind in ANNOUNCED:
            learn_of_announcement(params.get("AnnounceUrl", ""), is_spoken=ANNOUNCED[event.kind])
        state = rebuild(conference, {event.call_sid} - {""}, now=now)
        if state.on and conference.ended_at:  # it was closed in doubt, and is not over
            conference.ended_at = None
            conference.save(update_fields=["ended_at"])


def begin_conference(sid: str, group_id: int | None, *, now: datetime) -> Conference:
    """The conference, locked; made with its first event."""
    known = Conference.objects.select_for_update(no_key=True).filter(pk=sid).first()
    if known:
        return known
    Conference.objects.get_or_create(pk=sid, defaults={"group_id": group_id, "created_at": now})
    return lock_conference(sid)


def lock_conference(sid: str) -> Conference:
    return Conference.objects.select_for_update(no_key=True).get(pk=sid)


def store(conference: Conference, params: Mapping[str, str], *, now: datetime) -> ConferenceEvent | None:
    """The event, if it counts. Of two with one number the first does; one without a number is only kept.

    Runs under the conference's lock: nobody else stores an event of it meanwhile.
    """
    sequence_number = number_in(params.get("SequenceNumber", ""))
    if sequence_number is not None and conference.events.filter(sequence_number=sequence_number).exists():
        return None
    call_sid = params.get("CallSid", "")
    happened = happened_at(params, now=now)
    fields = {
        "kind": params.get("StatusCallbackEvent", "")[:64],
        "call_sid": call_sid if SID.fullmatch(call_sid) else "",
        "payload": {name: params[name] for name in params if name in KEPT},
        "happened_at": happened,
        "created_at": now,
    }
    conference.created_at = min(conference.created_at, happened or now)
    if sequence_number is None:
        logger.warning("Conference %s sent an event without a usable number", conference.sid)
    event = ConferenceEvent.objects.create(conference=conference, sequence_number=sequence_number, **fields)
    return None if sequence_number is None else event


def happened_at(params: Mapping[str, str], *, now: datetime) -> datetime | None:
    """When Twilio says that it was; not later than now, whatever Twilio's clock says."""
    told = read_time(params.get("Timestamp"))
    return told and min(told, now)


def receive_call_event(params: Mapping[str, str], *, now: datetime) -> None:
    """Notes that a leg has ended, by the call status callback. That of an unknown leg is kept for when it is known."""
    sid, status = params.get("CallSid", ""), params.get("CallStatus", "")
    if not SID.fullmatch(sid) or status not in ENDED:
        logger.info("A call event that ends no call was left aside")
        return
    call, is_new = Call.objects.get_or_create(sid=sid)
    if is_new:
        logger.warning("Call %s ended before it was known", sid)
    told, at = params.get("CallDuration", ""), read_time(params.get("Timestamp"))
    write_end(call, Ending(status, Call.EndSource.EVENT, at, number_in(told), told), now=now)


def end_call(call: Call, *, status: str, duration: int, now: datetime) -> None:
    """Writes that a leg has ended just now, as Twilio tells. `duration` is in seconds."""
    write_end(call, Ending(status, Call.EndSource.EVENT, duration=duration), now=now)


def write_end(call: Call, said: Ending, *, now: datetime) -> None:
    """Writes that a leg has ended, unless it is known better, and brings its conference up to date."""

    def end(row: Call) -> bool:
        joins = ConferenceEvent.objects.filter(conference=row.conference_id, kind=JOIN, call_sid=row.sid).order_by()
        first = joins.aggregate(at=Min("happened_at"))["at"]
        at = max(said.at, first) if said.at and first else said.at
        is_news = write_ending(row, replace(said, at=at), now=now)
        if is_news and row.price_due_at:
            ask_for_price.using(run_after=row.price_due_at).enqueue(row.pk)
        return is_news

    change_leg(call, end, now=now)
    if call.ring_id:
        settle_ring(call.ring_id)


def adopt_leg(
    call: Call, fields: Mapping[str, Any], *, now: datetime, check: Callable[[Call], None] | None = None
) -> None:
    """Completes a leg of which only the sid was known, because its events came before its makeCall.

    `check` is called first, under the leg's lock: what it raises leaves the leg as it was.
    """

    def adopt(row: Call) -> bool:
        if check:
            check(row)
        for name, value in fields.items():
            setattr(row, name, value)
        return True

    change_leg(call, adopt, now=now, adopted=call.pk)


def change_leg(call: Call, change: Callable[[Call], bool], *, now: datetime, adopted: int | None = None) -> None:
    """Changes a leg and brings its conference up to date. `change` says whether there was something to change."""
    while not try_to_change(call, change, now=now, adopted=adopted):
        call.refresh_from_db(fields=["conference"])


@atomic_and_retried
def try_to_change(call: Call, change: Callable[[Call], bool], *, now: datetime, adopted: int | None) -> bool:
    """False where an event has put the leg on a conference since it was read: that must be locked first."""
    conference = lock_conference(call.conference_id) if call.conference_id else None
    row = lock_call(call)
    if row.conference_id != call.conference_id:
        return False
    if change(row):
        row.save()
        if conference:
            rebuild(conference, {row.sid}, now=now, adopted=adopted)
    return True


def rebuild(
    conference: Conference,
    sids: Collection[str] | None = None,
    *,
    now: datetime,
    adopted: int | None = None,
    ended_at: datetime | None = None,
) -> State:
    """Brings these legs, or all, and with them participants and call statuses to what the stored events and facts say.

    Runs under the conference's lock. What it takes does not grow with the events that came before. A conference that
    somebody has left for a moment is not over, though Twilio has ended it; `ended_at` is when Twilio says that it did.
    """
    calls, came_over = legs(conference, sids)
    state = fold(numbered(conference, calls), facts(conference, calls))
    here = state.here(now)
    is_over = state.ended and not here
    if state.ended:  # for everybody
        calls += conference.calls.filter(is_on=True).exclude(pk__in=[call.pk for call in calls])
    changed = [call for call in calls if call.is_on != (call.sid in here)]
    joined = joined_at(conference, [call for call in changed if call.start_time is None], now=now)
    for call in changed:
        call.is_on = call.sid in here
        call.start_time = call.start_time or joined.get(call.sid) or now
        call.save(update_fields=["is_on", "start_time"])
    note_who_is_out(conference, calls, state)
    reassess(calls, state, now=now)
    follow(conference, changed + [call for call in calls if call.pk == adopted], ended=is_over)
    if changed or came_over:
        note_who_is_alone(conference, now=now)
    if new := [call.sid for call in changed if call.is_on]:
        hang_up_on_unwelcome(new)
    if is_over:
        if conference.notified_at and conference.ended_at is None:
            plan_missed(conference, now=now)
        conference.ended_at = end_of(conference, told=ended_at, now=now)
        conference.created_at = min(conference.created_at, conference.ended_at)
        conference.doubted_at = conference.ask_again_at = None
    if state.on and conference.notified_at is None:
        plan_announcement(conference, now=now)
    conference.save()
    return state


def joined_at(conference: Conference, calls: list[Call], *, now: datetime) -> dict[str, datetime | None]:
    """When Twilio says that these legs joined, where that can be: staff find the others among the events."""
    if not calls:
        return {}
    joins = conference.events.filter(kind=JOIN, call_sid__in=[call.sid for call in calls]).order_by()
    told = dict(joins.values_list("call_sid").annotate(Min("happened_at")))
    return {call.sid: told.get(call.sid) for call in calls if can_be(told.get(call.sid), call, latest=now)}


def numbered(conference: Conference, calls: list[Call]) -> list[NumberedEvent]:
    """What was told of these legs. Of a leave Twilio says how its call stands: who has a menu steps out into it."""
    has_menu = {call.sid for call in calls if call.entry}
    told = conference.events.deciding([call.sid for call in calls]).order_by()
    times = "happened_at", "created_at"
    rows = told.values_list("sequence_number", "kind", "call_sid", "payload__ParticipantCallStatus", *times)
    return [
        NumberedEvent(
            number or 0,
            kind,
            sid,
            stepped_out_at=happened or heard if kind == LEAVE and status == GOES_ON and sid in has_menu else None,
        )
        for number, kind, sid, status, happened, heard in rows
    ]


def note_who_is_out(conference: Conference, calls: list[Call], state: State) -> None:
    """And has it looked after whether they come back."""
    since = dict(state.out)
    for call in calls:
        out_since = since.get(call.sid) if call.is_on and call.sid not in state.on else None
        if call.out_since != out_since:
            call.out_since = out_since
            call.save(update_fields=["out_since"])
            if out_since:
                look_who_came_back.using(run_after=out_since + COMES_BACK).enqueue(conference.sid)


@task(seconds=15, tries=6, longest_wait=MINUTE)
def look_who_came_back(sid: str) -> None:
    tell_who_stayed_out(sid, now=timezone.now())


@atomic_and_retried
def tell_who_stayed_out(sid: str, *, now: datetime) -> None:
    """Who has stepped out for too long has left, and their conference with them."""
    rebuild(lock_conference(sid), (), now=now)


def see_to_who_stayed_out(*, now: datetime) -> int:
    """For each minute, where no job has; how many conferences could not be seen to."""
    attempts = Attempts()
    late = Call.objects.filter(out_since__lte=now - COMES_BACK, conference__isnull=False)
    for sid in sorted(set(late.values_list("conference", flat=True))):
        with attempts.one(f"see who came back to conference {sid}"):
            tell_who_stayed_out(sid, now=now)
    return attempts.failed


def end_of(conference: Conference, *, told: datetime | None, now: datetime) -> datetime:
    """When it ended: an event's word wins over an answer's; where neither has a time, when it was heard of first."""
    event = conference.events.deciding(()).order_by("sequence_number").first()
    if event and event.happened_at:
        return event.happened_at
    return conference.ended_at or min(told or now, now)


def legs(conference: Conference, sids: Collection[str] | None) -> tuple[list[Call], bool]:
    """The conference's legs of these sids, or all; and whether one has just come over from another conference. Whose
    call never came through makeCall is on it all the same, as nobody we know."""
    if sids is None:
        told = conference.events.deciding(None).exclude(call_sid="").order_by().values_list("call_sid", flat=True)
        sids = {*told, *conference.calls.values_list("sid", flat=True)}
    calls, came_over = lock_legs(conference, sids), False
    if new := set(sids) - {call.sid for call in calls}:
        for sid in sorted(new):
            Call.objects.get_or_create(sid=sid, defaults={"group_id": conference.group_id})
        if Call.objects.filter(sid__in=new, conference=None).update(conference=conference) < len(new):
            came_over = bring_over(new, conference)
        calls = lock_legs(conference, sids)
    return calls, came_over


def lock_legs(conference: Conference, sids: Collection[str]) -> list[Call]:
    """Those of these sids, and those that have stepped out: a leg may go on to another conference."""
    return lock_rows(conference.calls.filter(Q(sid__in=sids) | Q(out_since__isnull=False)))


def facts(conference: Conference, calls: list[Call]) -> Facts:
    return Facts(
        completed_calls=frozenset(call.sid for call in calls if has_ended(call)),
        conference_completed=conference.completed,
        sightings=tuple(
            Sighting(call.seen_after or 0, call.sid, call.seen_on) for call in calls if call.seen_on is not None
        ),
        stepped_out=tuple(SteppedOut(call.menu_after or 0, call.sid, call.menu_at) for call in calls if call.menu_at),
    )


def has_ended(call: Call) -> bool:
    """As a fact. Over an assumption any later event wins: it counts as a sighting."""
    return call.end_time is not None and call.end_source != Call.EndSource.ASSUMED


def follow(conference: Conference, changed: list[Call], *, ended: bool) -> None:
    """Whoever has, or had, a leg in a running conference is on the group's list as Twilio says; when a group's call
    ends, everybody on the list."""
    moved = {call.user_id for call in changed if call.user_id}
    people = moved if ended else moved | people_of(conference)
    ends = ended and Conference.objects.filter(pk=conference.pk, ended_at=None).exists()  # as stored until now
    if not people and not changed and not ends:
        return
    group = Group.objects.select_for_update(no_key=True).filter(pk=conference.group_id or 0).first()
    running = list(Call.objects.filter(is_on=True, group_id=conference.group_id).values_list("user_id", flat=True))
    if group:
        if not running and (changed or ends):
            GroupCall.objects.unlock(group.pk)
            end_with_call(group.pk, now=timezone.now())
            stop_rings(group.pk)
        ghosts = without_a_leg(group) if ends and not running else set()
        here = {user_id for user_id in running if user_id in people}
        moved |= ghosts
        if arrived := here & moved:
            stop_rings(group.pk, arrived)
        set_on_call(group=group, people=people | ghosts, on=here, anyone=bool(running), moved=moved)
    set_call_status(moved)


def people_of(conference: Conference) -> set[int]:
    known = conference.calls.order_by().values_list("user_id", flat=True).distinct()
    return {user_id for user_id in known if user_id}
