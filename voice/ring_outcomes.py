"""What a ring comes to, by what is known of its legs: the same, in whatever order Twilio tells, and however often.

Locks: the group, which is locked whenever a ring changes; of the legs none.
"""

from collections.abc import Collection

from django.db.models import QuerySet
from django.utils import timezone

from core.transactions import atomic_and_retried
from groups.models import Activity, Group, Ring
from voice.hang_ups import hang_up
from voice.models import Call, HangUp

Answer, State = Call.RingAnswer, Ring.State

LINES = {
    State.RINGING: "is being called to join",
    State.JOINED: "has picked up and joined the call",
    State.DECLINED: "has declined the call",
    State.NO_ANSWER: "has not answered the call",
}
"""What the activities say of whoever is rung: their own name stands beside it, and no one else's in it."""


@atomic_and_retried
def settle_ring(ring_id: int) -> None:
    """Brings a ring to what its legs say, once they have said it: then those that still ring ring no more."""
    known = Ring.objects.filter(pk=ring_id).first()
    if known is None or Group.objects.select_for_update(no_key=True).filter(pk=known.group_id).first() is None:
        return
    ring, legs = Ring.objects.filter(pk=ring_id, state=State.RINGING).first(), Call.objects.filter(ring_id=ring_id)
    state = ring and state_of(legs)
    if ring is None or state is None:
        return
    ring.state, ring.changed_at = state, timezone.now()
    ring.save(update_fields=["state", "changed_at"])
    say_so([ring])
    stop(legs)


def say_so(rings: Collection[Ring]) -> None:
    """A line in the activities for each. The caller holds the group's lock."""
    Activity.objects.bulk_create(
        Activity(group_id=ring.group_id, user_id=ring.user_id, activity=LINES[State(ring.state)]) for ring in rings
    )


def state_of(legs: QuerySet[Call]) -> Ring.State | None:
    """None while it rings. Who has said no on one phone is rung by no other; a line that is busy says it for itself
    alone."""
    rows = list(legs)
    answers = {leg.ring_answer for leg in rows}
    if Answer.JOINED in answers:
        return State.JOINED
    if Answer.DECLINED in answers:
        return State.DECLINED
    if not all(leg.end_time or leg.ring_answer in (Answer.NO_KEY, Answer.REFUSED) for leg in rows):
        return None
    stopped = set(HangUp.objects.filter(call__in=rows).values_list("call_id", flat=True))
    return State.DECLINED if any(is_declined(leg, stopped) for leg in rows) else State.NO_ANSWER


def is_declined(leg: Call, stopped: set[int]) -> bool:
    """Whether the line was busy, which an app says of who declines, or the receiver was laid down again: not by us."""
    if leg.ring_answer:
        return False
    return leg.status == "busy" or (leg.status == "completed" and leg.pk not in stopped)


def stop(legs: QuerySet[Call]) -> None:
    """Has these ring no more, those of them by which nobody has been let in, nor is just being."""
    hang_up(legs.filter(ring_id__isnull=False, ring_answer=""), why=HangUp.Why.RING_OVER)


def stop_rings(group_id: int | None, people: Collection[int] | None = None) -> None:
    """Has nobody rung any more in a group, or none of these people: the call is over, or they are on it."""
    legs = Call.objects.filter(group_id=group_id)
    stop(legs if people is None else legs.filter(user_id__in=people))
