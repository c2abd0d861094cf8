"""What somebody hears who is rung and lifts the receiver, by phone or by app. Who presses 1 is let in, and nobody else:
a machine presses nothing.
"""

from dataclasses import replace

from core.legible import legible
from groups.models import Group, Ring
from users.models import User
from voice.callers import RefusedCallError
from voice.calls import admit
from voice.languages import language_of
from voice.models import Call
from voice.ring_outcomes import settle_ring
from voice.ringing.legs import ANSWER, address_of, leg_of, note_answer
from voice.sentences import (
    CALLS_ONESELF,
    CHANGED,
    DISABLED,
    ENGLISH,
    GROUP_NAME,
    JOINING,
    NOT_JOINED,
    PRESS_TO_JOIN,
    RING_OVER,
    RINGS,
    SOMEBODY_RINGS,
    STAR_HELPS,
    spoken,
)
from voice.telephony.interface import Admission, Dial, Gather, Say

Answer = Call.RingAnswer

JOIN = "1"
WAIT = 20
"""Seconds for a key, after all has been spoken."""
TWICE = 2


def answer_ring(*, params: dict[str, str]) -> Admission:
    """Somebody has answered, or pressed a key, or none."""
    leg = leg_of(params)
    ring = Ring.objects.select_related("group", "user", "by").filter(pk=leg.ring_id or 0).first() if leg else None
    if leg is None or ring is None:
        return Say((RING_OVER,), ENGLISH)
    language = language_of([ring.group_id])
    if leg.end_time or not rings_on(ring, leg):
        return Say((spoken(RING_OVER, language),), language)
    keys = params.get("Digits", "")
    if not keys and not params.get("asked"):
        return question(ring, leg, language)
    if keys == JOIN:
        return join(ring, leg, params, language)
    note_answer(leg, Answer.DECLINED if keys else Answer.NO_KEY)
    settle_ring(ring.pk)
    return Say((spoken(NOT_JOINED, language),), language)


def rings_on(ring: Ring, leg: Call) -> bool:
    """Also for who was let in by this very phone: Twilio asks again where it has not heard the answer."""
    return ring.state == Ring.State.RINGING or leg.ring_answer == Answer.JOINED


def question(ring: Ring, leg: Call, language: str) -> Gather:
    words = SOMEBODY_RINGS if ring.by is None else CALLS_ONESELF if ring.by == ring.user else RINGS
    name = legible(ring.by.display_name) if ring.by else ""
    who = spoken(words, language, name=name, group=legible(ring.group.name))
    sentences = (who, spoken(PRESS_TO_JOIN, language))
    action = address_of(ANSWER, leg.pk, asked="1")
    return Gather(sentences, language, action, digits=1, timeout=WAIT, times=TWICE)


def join(ring: Ring, leg: Call, params: dict[str, str], language: str) -> Dial | Say:
    """Lets them in, by all the rules of this moment, and by the first of their phones alone."""
    if not note_answer(leg, Answer.PRESSED):
        return Say((spoken(RING_OVER, language),), language)
    admission = admit(
        params=params, find=lambda _: find_rung(ring.user_id, ring.group_id), language=language, times=TWICE
    )
    is_in = isinstance(admission, Dial)
    note_answer(leg, Answer.JOINED if is_in else Answer.REFUSED, **({"status": "in-progress"} if is_in else {}))
    settle_ring(ring.pk)
    if isinstance(admission, Say):
        return admission
    words = (GROUP_NAME, JOINING, STAR_HELPS) if admission.keypad else (GROUP_NAME, JOINING)
    greeting = tuple(spoken(each, language, group=legible(ring.group.name)) for each in words)
    return replace(admission, greeting=(*greeting, *admission.greeting), language=language)


def find_rung(user_id: int, group_id: int) -> tuple[User, Group]:
    """They may have lost their place since it rang."""
    person = User.objects.filter(pk=user_id).first()
    group = Group.objects.of_person(user_id).filter(pk=group_id).first()
    if person is None or group is None:
        raise RefusedCallError(CHANGED)
    if not person.is_active:
        raise RefusedCallError(DISABLED)
    return person, group
