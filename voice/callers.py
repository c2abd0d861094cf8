"""Who calls which group, by what Twilio writes of a caller. https://www.twilio.com/docs/voice/twiml#request-parameters

An app is known by its identity, a phone by its number. An app names the group by `to`, and so may the webhook of a
number (`makeCall?to=7`); else the group is the one that has the number that was dialled.
"""

import re

from django.conf import settings

from core.phone_numbers import is_phone_number, is_withheld
from core.wire import whole_number
from groups.models import Group, GroupQuerySet
from users.client_identity import CLIENT, AccountDisabled, person_with_identity
from users.models import User
from voice.conferences.events import number

WITHHELD = "Your number is withheld. Please call again with your number shown, or use the app."
NO_PHONE = "We cannot tell who you are. Please use the app, or call from a phone whose number is shown."
WRONG_NUMBER = "Your number did not come through correctly. Please use the app, or call from another phone."
DISABLED = "Your account is disabled. Please ask the operator."


class RefusedCallError(Exception):
    """Why a caller is not let in, in words that are spoken to them."""


def who_and_where(params: dict[str, str]) -> tuple[User | None, Group]:
    """The caller and the group. In open mode who names a group is let in, also as nobody whom we know."""
    caller, groups = params.get("From", ""), groups_called(params)
    people = people_known_as(caller)
    for person in people:
        if group := groups.of_person(person).first():
            return person, group
    if settings.OPEN_MODE and params.get("to"):
        return next(iter(people), None), groups[0]
    raise RefusedCallError(why_unknown(caller, dialled=not params.get("to")))


def groups_called(params: dict[str, str]) -> GroupQuerySet:
    """At least one. A number may be that of several groups."""
    caller, to, dialled = (params.get(name, "") for name in ("From", "to", "To"))
    if to:
        groups = Group.objects.filter(pk=group_id(to))
        missing = "This group does not exist. Please check your groups and try again."
    elif caller.startswith(CLIENT) or not (caller or dialled):
        raise RefusedCallError("No group detected.")
    else:
        groups = Group.objects.filter(phone_number__in=(dialled, dialled.removeprefix("+"))).order_by("pk")
        missing = "No group has this number. Please check it and call again."
    if not groups.exists():
        raise RefusedCallError(missing)
    return groups


def group_id(to: str) -> int:
    found = number(whole_number(to, is_form=True))
    if found is None:
        raise RefusedCallError("This is not a group. Please check the number and try again.")
    return found


def people_known_as(caller: str) -> list[User]:
    """Whose app or phone it is: several may have one number. Refuses one that is only of disabled accounts."""
    if digits := phone_digits(caller):
        people = list(User.objects.filter(phone_number=int(digits)).order_by("pk"))
        active = [person for person in people if person.is_active]
        if people and not active:
            raise RefusedCallError(DISABLED)
        return active
    try:
        person = person_with_identity(caller)
    except AccountDisabled:
        raise RefusedCallError(DISABLED) from None
    return [person] if person else []


def phone_digits(caller: str) -> str | None:
    """The digits of the phone's number ("+12025550123"); None where the caller has none that is somebody's."""
    match = re.fullmatch(r"\+([1-9][0-9]{1,14})", caller)
    return match[1] if match and is_phone_number(match[1]) else None


def why_unknown(caller: str, *, dialled: bool) -> str:
    """Why somebody who has been found nowhere is not let in. Who dialled a number is on a phone."""
    if caller.startswith(CLIENT) or not (caller or dialled):
        return "You are not a member of this group. Please ask its owner to invite you."
    if is_withheld(caller):
        return WITHHELD
    if phone_digits(caller):
        return "Your number is not on the list of this group. Please ask its owner to add you."
    return WRONG_NUMBER if re.fullmatch(r"\+?[0-9]+", caller) else NO_PHONE
