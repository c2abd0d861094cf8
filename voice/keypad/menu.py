"""What somebody hears who presses * on a call: a short menu, and they are back. Who presses nothing is back as well.

It is spoken once, so that all of it takes less than the half minute for which others do not notice.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from django.utils import timezone

from core.legible import legible
from voice.conferences.events import receive_call_event
from voice.entering import Entry
from voice.hosting.call_state import people_on
from voice.keypad.legs import leg_in_menu, settle
from voice.models import Call
from voice.sentences import (
    BACK,
    CHANGE_AGAIN,
    COME_AGAIN,
    ENDED,
    HEARD,
    KEY_WRONG,
    LEFT,
    MENU_BACK,
    MENU_HEARD,
    MENU_LEAVE,
    MENU_MUTE,
    MENU_QUIET,
    MENU_WARN,
    MENU_WHO,
    MUTED,
    NAME,
    NOBODY_ELSE,
    ONE_UNKNOWN,
    QUIET,
    UNKNOWN,
    WARNED,
    WENT_WRONG,
    WITH_YOU,
    language_at,
    spoken,
)
from voice.telephony.interface import ENDED as CALL_ENDED
from voice.telephony.interface import Admission, Dial, Gather, Say

MUTE, WHO, QUIETEN, LEAVE, STAR = "1", "2", "3", "9", "*"
WAIT = 4
"""Seconds for a key."""
MOST_IN_VAIN = 2
FAILED = ("busy", "failed", "no-answer", "canceled")
"""Of a leg that was not let in. https://www.twilio.com/docs/voice/twiml/dial#dialcallstatus-values"""


def answer_keypad(*, params: dict[str, str]) -> Admission:
    """Somebody has left their conference by *, or pressed a key in the menu, or none.

    Twilio asks here too when a conference, a time limit or the call itself is over.
    """
    now, entry = timezone.now(), Entry.of(params)
    if params.get("CallStatus") in CALL_ENDED:
        receive_call_event(params, now=now)
    if entry is None:
        return over(params)
    leg = leg_in_menu(entry, now=now) if entry.seconds_left(now) > 0 else None
    if leg is None:
        return tell(ENDED, entry.language)
    if entry.asked:
        return pressed(entry, leg, params.get("Digits", ""), now=now)
    if params.get("DialCallStatus") in FAILED:
        return tell(COME_AGAIN, entry.language)
    return menu(replace(entry, asked=True, muted=leg.let_in_muted, quiet=leg.wants_no_warnings))


def menu(entry: Entry, remark: str = "") -> Gather:
    """How it stands travels along: a key means what was read out, though Twilio should ask again."""
    keys = MENU_HEARD if entry.muted else MENU_MUTE, MENU_WHO, MENU_WARN if entry.quiet else MENU_QUIET
    words = [*([remark] if remark else []), *keys, MENU_LEAVE, MENU_BACK]
    sentences = tuple(spoken(each, entry.language) for each in words)
    return Gather(sentences, entry.language, entry.address, digits=1, timeout=WAIT, times=1)


def pressed(entry: Entry, leg: Call, key: str, *, now: datetime) -> Admission:
    if key == LEAVE:
        return tell(LEFT, entry.language)
    if key in DOES:
        return back(entry, leg, DOES[key](entry, leg), now=now)
    turn = replace(entry, in_vain=entry.in_vain + 1)
    if key in ("", STAR) or turn.in_vain > MOST_IN_VAIN:
        return back(entry, leg, [spoken(BACK, entry.language)], now=now)
    return menu(turn, KEY_WRONG)


def mute(entry: Entry, leg: Call) -> list[str]:
    settle(leg, let_in_muted=not entry.muted)
    words = (HEARD,) if entry.muted else (MUTED, CHANGE_AGAIN)
    return [spoken(each, entry.language) for each in words]


def quieten(entry: Entry, leg: Call) -> list[str]:
    settle(leg, wants_no_warnings=not entry.quiet)
    return [spoken(WARNED if entry.quiet else QUIET, entry.language)]


def who_is_here(entry: Entry, leg: Call) -> list[str]:
    """Everybody else, by name; who is not known is counted."""
    on = Call.objects.filter(group_id=entry.group, is_on=True).exclude(pk=leg.pk).order_by("start_time", "pk")
    others = [each for each in on if leg.user_id is None or each.user_id != leg.user_id]
    people = people_on(others, set())
    known = {person.user_id for person in people}
    names = [spoken(NAME, entry.language, name=legible(person.display_name)) for person in people]
    unknown = sum(each.user_id not in known for each in others)
    if unknown:
        names.append(spoken(ONE_UNKNOWN if unknown == 1 else UNKNOWN, entry.language, count=unknown))
    return [spoken(WITH_YOU, entry.language), *names] if names else [spoken(NOBODY_ELSE, entry.language)]


DOES: dict[str, Callable[[Entry, Call], list[str]]] = {MUTE: mute, WHO: who_is_here, QUIETEN: quieten}


def back(entry: Entry, leg: Call, words: list[str], *, now: datetime) -> Dial:
    onward = entry.again(muted=leg.let_in_muted, quiet=leg.wants_no_warnings)
    return onward.dial(now=now, greeting=tuple(words))


def find_back(params: dict[str, str]) -> Dial | Say:
    """Where we cannot do what was asked for, they go back all the same: nobody loses their call by our fault. It asks
    no database."""
    now, entry = timezone.now(), Entry.of(params)
    if entry is None or entry.seconds_left(now) <= 0 or params.get("CallStatus") in CALL_ENDED:
        return over(params)
    if params.get("DialCallStatus") in FAILED:
        return tell(COME_AGAIN, entry.language)
    onward = entry.again(muted=entry.muted, quiet=entry.quiet)
    return onward.dial(now=now, greeting=(spoken(WENT_WRONG, entry.language),))


def over(params: dict[str, str]) -> Say:
    return tell(ENDED, language_at(params.get("To", "")))


def tell(sentence: str, language: str) -> Say:
    return Say((spoken(sentence, language),), language)
