"""Whose call a call may be, and to which groups it may lead."""

from core.phone_numbers import number_of_caller
from groups.models import Group, GroupQuerySet
from users.models import User, VerifiedNumber
from voice.callers import RefusedCallError, people_known_as
from voice.sentences import CHANGED

Homes = dict[User, list[Group]]


def number_of(params: dict[str, str]) -> str | None:
    """The caller's; None for who shows none, or has none, as on SIP and WhatsApp."""
    return number_of_caller(params.get("From", ""), params.get("To", ""))


def homes_of(params: dict[str, str]) -> Homes:
    """Whose number it is, and of each the groups to which the call may lead. Empty where nobody is known."""
    if number_of(params) is None:
        return {}
    groups = groups_behind(params.get("To", ""))
    people = people_known_as(params.get("From", ""), params.get("To", ""))
    found = {person: list(groups.of_person(person).order_by("pk")) for person in people}
    return {person: at_home for person, at_home in found.items() if at_home}


def groups_behind(dialled: str) -> GroupQuerySet:
    """The group whose own number was dialled; all behind any other."""
    own = Group.objects.filter(dial_in_numbers__number=dialled)
    return own if own.exists() else Group.objects.all()


def find_at_home(params: dict[str, str], *, person_id: int, group_id: int) -> tuple[User, Group]:
    """They may have lost their number, or their place, since they were asked."""
    for person, groups in homes_of(params).items():
        for group in groups:
            if (person.pk, group.pk) == (person_id, group_id):
                return person, group
    raise RefusedCallError(CHANGED)


def is_known(person_id: int) -> bool:
    """Whether they have a number by which they walk in."""
    return VerifiedNumber.objects.filter(user=person_id).exists()
