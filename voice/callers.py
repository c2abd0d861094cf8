"""Who calls which group, by what Twilio writes of a caller. https://www.twilio.com/docs/voice/twiml#request-parameters

An app is known by its identity, a phone by the number that its person has verified: what somebody writes of themself
(`phoneNumber`) proves nothing. An app names the group by `to`, and so may the webhook of a number (`makeCall?to=7`);
else the group is the one that has the number that was dialled.
"""

import re

from django.conf import settings

from core.phone_numbers import is_withheld, number_of_caller
from core.wire import number_in, whole_number
from groups.models import Group, GroupQuerySet
from users.client_identity import CLIENT, AccountDisabled, person_with_identity
from users.models import User
from voice.sentences import (
    DISABLED,
    NO_GROUP,
    NO_GROUP_HAS_NUMBER,
    NO_PHONE,
    NO_SUCH_GROUP,
    NOT_A_GROUP,
    NOT_A_MEMBER,
    NOT_ON_THE_LIST,
    SHARED,
    WITHHELD,
    WRONG_NUMBER,
)


class RefusedCallError(Exception):
    """Why a caller is not let in, in words that are spoken to them."""


def who_and_where(params: dict[str, str]) -> tuple[User | None, Group]:
    """The caller and the group. In open mode who names a group is let in, also as nobody whom we know.

    Of several people who share a telephone it is the one who is in the group.
    """
    caller, dialled, groups = params.get("From", ""), params.get("To", ""), groups_called(params)
    people = people_known_as(caller, dialled)
    at_home = [(person, group) for person in people if (group := groups.of_person(person).first())]
    if len(at_home) > 1:
        raise RefusedCallError(SHARED)
    if at_home:
        return at_home[0]
    if settings.OPEN_MODE and params.get("to"):
        return (people[0] if len(people) == 1 else None), groups[0]
    raise RefusedCallError(why_unknown(caller, dialled, names_group=bool(params.get("to"))))


def groups_called(params: dict[str, str]) -> GroupQuerySet:
    """At least one. A number may be that of several groups."""
    caller, to, dialled = (params.get(name, "") for name in ("From", "to", "To"))
    if to:
        groups = Group.objects.filter(pk=group_id(to))
        missing = NO_SUCH_GROUP
    elif caller.startswith(CLIENT) or not (caller or dialled):
        raise RefusedCallError(NO_GROUP)
    else:
        groups = Group.objects.with_number(dialled).order_by("pk")
        missing = NO_GROUP_HAS_NUMBER
    if not groups.exists():
        raise RefusedCallError(missing)
    return groups


def group_id(to: str) -> int:
    found = number_in(whole_number(to, is_form=True))
    if found is None:
        raise RefusedCallError(NOT_A_GROUP)
    return found


def people_known_as(caller: str, dialled: str = "") -> list[User]:
    """Whose app or phone it is: several may share one. Refuses one that is only of disabled accounts."""
    if number_called_from := number_of_caller(caller, dialled):
        people = list(User.objects.filter(verified_number__number=number_called_from).order_by("pk"))
        active = [person for person in people if person.is_active]
        if people and not active:
            raise RefusedCallError(DISABLED)
        return active
    try:
        person = person_with_identity(caller)
    except AccountDisabled:
        raise RefusedCallError(DISABLED) from None
    return [person] if person else []


def why_unknown(caller: str, dialled: str, *, names_group: bool) -> str:
    """Why somebody who has been found nowhere is not let in. Who dialled a number is on a phone."""
    if caller.startswith(CLIENT) or (names_group and not caller):
        return NOT_A_MEMBER
    if is_withheld(caller):
        return WITHHELD
    if number_of_caller(caller, dialled):
        return NOT_ON_THE_LIST
    return WRONG_NUMBER if re.fullmatch(r"\+?[0-9]+", caller) else NO_PHONE
