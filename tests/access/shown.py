"""What an answer shows of people, held against what its viewer may see of them."""

import json
from collections.abc import Iterator
from typing import Any

from core.wire import dollars
from tests.shapes import ACCOUNT, CONTACT
from users.models import User

PROFILE = ["id", "displayName", "avatar", "callStatus", "createdAt"]
BESIDE = ("activity", "activityId", "groupsOwned", "groupsBelongedTo", "groupsInvitedTo")
"""What stands beside a person's own fields in `detailed`, with the stamps."""
OUTSIDE = ("Dave", "Root", "Zoe")
"""Who is on none of the group's lists."""


def shown_beyond(answer: Any, *, viewer: User, people: dict[str, User], in_group: bool) -> list[str]:
    """The faults, in words: another's secret value anywhere in the answer, or a person in another shape than is due."""
    if "json" not in answer.get("Content-Type", ""):
        return []
    found = list(nodes(json.loads(answer.content)))
    faults = {f"a person as {list(node)}" for node in found if is_person(node) and not is_due(node, viewer, in_group)}
    if viewer.is_staff:
        return sorted(faults)
    leaves = {str(node) for node in found if not isinstance(node, dict | list)}
    others = [user for user in people.values() if user != viewer]
    return sorted(faults | {secret for user in others for secret in secrets(user, in_group) if secret in leaves})


def nodes(value: Any) -> Iterator[Any]:
    """Everything in a JSON document, at every depth."""
    yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from nodes(inner)


def is_person(node: Any) -> bool:
    return isinstance(node, dict) and isinstance(node.get("id"), int) and "displayName" in node and "userId" not in node


def is_due(person: dict[str, Any], viewer: User, in_group: bool) -> bool:
    """An Account of oneself, and for staff; in a group's lists a Contact; else a Profile."""
    is_seen_whole = viewer.is_staff or viewer.pk == person["id"] or viewer.email == person.get("email")
    stamps = [key for key in person if key.endswith("CreatedAt")]
    keys = [key for key in person if key not in (*BESIDE, *stamps)]
    if in_group and "accountBalance" not in person:
        return keys == CONTACT
    return keys == (ACCOUNT if is_seen_whole else PROFILE)


def secrets(user: User, in_group: bool) -> list[str]:
    private = [str(user.phone_number), str(user.stripe_id), str(user.last4), dollars(user.account_balance_micros)]
    return private if in_group and user.display_name not in OUTSIDE else [*private, user.email]
