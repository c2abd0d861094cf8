"""What a telephone hears that dials in, step by step.

Who is known by a number that is theirs walks in. Everybody else types the code that stands for a person in a group:
withheld numbers, SIP addresses and WhatsApp too. Nothing is stored, and no money held, before somebody is let in.
docs/decisions/dial-in.md
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeVar

from core.legible import legible
from groups.models import Group
from users.models import User
from voice.callers import RefusedCallError
from voice.calls import admit
from voice.dial_in import tries
from voice.dial_in.codes import DIGITS, whose_code
from voice.dial_in.homes import find_at_home, homes_of, number_of
from voice.dial_in.step import MOST_AT_ONCE, Step
from voice.languages import language_of
from voice.sentences import (
    CHANGED,
    CODE_IS_IN_APP,
    CODE_NOT_EIGHT,
    CODE_WRONG,
    CODE_WRONG_TOO_OFTEN,
    DISABLED,
    EIGHT_DIGITS,
    GROUP_NAME,
    JOINING,
    KEY_WRONG,
    LOCKED_OUT,
    NO_CODES_NOW,
    NOTHING_PRESSED,
    PRESS,
    PRESS_FOR_FIRST,
    PRESS_FOR_MORE,
    STAR_HELPS,
    TYPE_CODE,
    WELCOME,
    WHICH_GROUP,
    WHO,
    spoken,
)
from voice.telephony.interface import Admission, Dial, Gather, Say

CALL, CODE = "/api/voice/dialIn", "/api/voice/dialIn/pin"
MOST_TRIES = 3
"""Of a call: wrong codes, and keys that were not pressed."""
TWICE = 2
WAIT, WAIT_FOR_CODE = 10, 20
"""Seconds for the next key: some look for their glasses, and at a piece of paper after each digit."""

Named = TypeVar("Named", User, Group)


def answer_call(*, params: dict[str, str]) -> Admission:
    """A call has come in, or a key was pressed in a menu."""
    step, dialled = Step.of(params), params.get("To", "")
    try:
        homes = homes_of(params) if step.is_attested else {}
    except RefusedCallError as refusal:
        return tell(str(refusal), language_of(dialled=dialled))
    if not homes:
        return ask_for_code(params, step)
    language = language_of([group.pk for groups in homes.values() for group in groups], dialled=dialled)
    turn = step.pressed(params.get("Digits", ""))
    if turn.in_vain >= MOST_TRIES:
        return tell(NOTHING_PRESSED, language)
    remarks = [KEY_WRONG] if params.get("Digits") and turn.in_vain > step.in_vain else []
    person = chosen(turn.person, homes)
    if person is None:
        people = {each.pk: each.display_name for each in homes}
        return menu(replace(turn, asked="person", person=0), [*remarks, WHO], people, language)
    group = chosen(turn.group, homes[person])
    if group is None:
        names = {each.pk: each.name for each in homes[person]}
        return menu(replace(turn, asked="group", group=0, person=person.pk), [*remarks, WHICH_GROUP], names, language)
    ids = {"person_id": person.pk, "group_id": group.pk}
    return let_in(params, group, lambda params: find_at_home(params, **ids))


def answer_code(*, params: dict[str, str]) -> Admission:
    """A code was typed, or none."""
    step, keys = Step.of(params), params.get("Digits", "")
    if not keys:
        turn = replace(step, in_vain=step.in_vain + 1)
        return ask_for_code(params, turn) if turn.in_vain < MOST_TRIES else tell_of_code(params, NOTHING_PRESSED)
    turn = replace(step, wrong=step.wrong + 1)
    try:
        found = whose_call(keys, params, step)
    except tries.TooManyWrongError as over:
        return tell_over(params, over)
    if found:
        return let_in(params, found[1], lambda _: find_by_code(keys))
    if turn.wrong >= MOST_TRIES:
        return tell_of_code(params, CODE_WRONG_TOO_OFTEN)
    return ask_for_code(params, turn, CODE_WRONG if is_code(keys) else CODE_NOT_EIGHT)


def ask_for_code(params: dict[str, str], step: Step, remark: str = WELCOME) -> Gather | Say:
    """Not of whom no code is taken."""
    try:
        tries.refuse_if_over(number_of(params), is_attested=step.is_attested)
    except tries.TooManyWrongError as over:
        return tell_over(params, over)
    language = language_of(dialled=params.get("To", ""))
    sentences = [spoken(each, language) for each in (remark, TYPE_CODE, EIGHT_DIGITS, CODE_IS_IN_APP)]
    return Gather(tuple(sentences), language, step.address(CODE), digits=DIGITS, timeout=WAIT_FOR_CODE)


def whose_call(keys: str, params: dict[str, str], step: Step) -> tuple[User, Group] | None:
    """What cannot be a code guesses nothing, and counts in this call alone."""
    if not is_code(keys):
        return None
    taken = tries.take_try(number_of(params), is_attested=step.is_attested)
    found = whose_code(keys)
    if found:
        tries.give_all_back(taken)
    else:
        tries.tell_if_attacked()
    return found


def is_code(keys: str) -> bool:
    return len(keys) == DIGITS and keys.isascii() and keys.isdigit()


def find_by_code(code: str) -> tuple[User, Group]:
    """The code may have died since, with the place for which it stands."""
    found = whose_code(code)
    if found is None:
        raise RefusedCallError(CHANGED)
    if not found[0].is_active:
        raise RefusedCallError(DISABLED)
    return found


def chosen(pk: int, options: Iterable[Named]) -> Named | None:
    """The one of this id; where nothing was chosen, the only one there is."""
    found = list(options)
    if not pk and len(found) == 1:
        return found[0]
    return next((each for each in found if each.pk == pk), None)


def menu(step: Step, questions: list[str], names: dict[int, str], language: str) -> Gather:
    """Up to eight at once, under the keys from 1."""
    pages = -(-len(names) // MOST_AT_ONCE)
    page = min(step.page, pages - 1)
    offered = list(names)[page * MOST_AT_ONCE : (page + 1) * MOST_AT_ONCE]
    has_more = page + 1 < pages
    onward = [PRESS_FOR_MORE] if has_more else [PRESS_FOR_FIRST] if page else []
    keys = [spoken(PRESS, language, key=key, name=legible(names[pk])) for key, pk in enumerate(offered, 1)]
    sentences = [spoken(each, language) for each in questions] + keys + [spoken(each, language) for each in onward]
    turn = replace(step, offered=tuple(offered), has_more=has_more, page=page)
    return Gather(tuple(sentences), language, turn.address(CALL), digits=1, timeout=WAIT)


def let_in(params: dict[str, str], group: Group, find: Callable[[dict[str, str]], tuple[User, Group]]) -> Dial | Say:
    """The group's name is heard before its people are, twice."""
    language = language_of([group.pk], dialled=params.get("To", ""))
    admission = admit(params=params, find=find, language=language, times=TWICE)
    if isinstance(admission, Say):
        return admission
    greeting = tuple(spoken(each, language, group=legible(group.name)) for each in (GROUP_NAME, JOINING, STAR_HELPS))
    return replace(admission, greeting=(*greeting, *admission.greeting), language=language)


def tell(sentence: str, language: str) -> Say:
    return Say((spoken(sentence, language),), language, TWICE)


def tell_of_code(params: dict[str, str], sentence: str) -> Say:
    return tell(sentence, language_of(dialled=params.get("To", "")))


def tell_over(params: dict[str, str], over: tries.TooManyWrongError) -> Say:
    return tell_of_code(params, NO_CODES_NOW if over.is_of_all else LOCKED_OUT)
