"""What events say: the very shapes of the GETs, read for many groups at once."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple

import orjson
from django.db.models import QuerySet

from core.prepared import Ids, prepared, prepared_values
from core.wire import MOST_LISTED, dollars
from groups.api.serializers import ActivitySerializer, GroupPersonSerializer, GroupSerializer, RefSerializer
from groups.live.places import Mark, digest_of
from groups.models import PARTS, Activity, Group, Invitation, Membership, Ownership, Participant, Ring
from users.models import User

MOST_MISSED = 500
"""Activities of a group that are told after each other. Who missed more reads everything again."""
PEOPLE: dict[str, Any] = {
    "callParticipants": Participant,
    "groupOwners": Ownership,
    "groupMembers": Membership,
    "groupInvitees": Invitation,
}
"""The events that are a group's lists of people."""
GROUPS: dict[str, Any] = {
    "groupsOwned": Ownership,
    "groupsBelongedTo": Membership,
    "groupsInvitedTo": Invitation,
}
"""The lists of a person's event `groups`."""

Told = Mapping[str, bytes]
"""By the event's name, its data as JSON. Of an event that comes for each person, by its name, a colon and their id."""
Row = tuple[Any, ...]


class GroupState(NamedTuple):
    name: str
    told: Told
    mark: Mark
    """Who has been told all of it."""
    around: frozenset[int]
    """Who has a part in it."""
    shown: frozenset[int]
    """The people in its lists."""


class PersonState(NamedTuple):
    told: Told
    digest: bytes
    groups: frozenset[int]
    """In which they have a part."""
    is_active: bool
    is_staff: bool
    sign_in: tuple[str | None, str | None]


def _in_order(model: Any, of: str, ids: Any) -> QuerySet[Any]:
    rows: QuerySet[Any] = model.objects.filter(**{f"{of}__any": ids}).order_by("id")
    return rows


def _linked(model: Any) -> Callable[[Ids], list[Row]]:
    columns = GroupPersonSerializer.columns
    return prepared_values(partial(_in_order, model, "group_id"), columns, tuple)


def _refs(model: Any) -> Callable[[Ids], list[Row]]:
    return prepared_values(partial(_in_order, model, "user_id"), ("user_id", *RefSerializer.columns), tuple)


_group_rows = prepared_values(
    lambda ids: Group.objects.filter(pk__any=ids), ("last_activity", *GroupSerializer.columns), tuple
)
_linked_rows = {name: _linked(model) for name, model in PEOPLE.items()}
_ring_rows = prepared_values(partial(_in_order, Ring, "group_id"), ("group_id", "user_id", "state"), tuple)
_ref_rows = {name: _refs(model) for name, model in GROUPS.items()}
_people = prepared_values(
    lambda ids: User.objects.filter(pk__any=ids),
    ("id", "account_balance_micros", "is_active", "is_staff", "oidc_issuer", "oidc_subject"),
    tuple,
)
_activities = prepared(
    lambda keys: Activity.objects.filter(group_id=keys[0], number__gt=keys[1]).order_by("number", "id")[
        : MOST_MISSED + 1
    ],
    ("number", *ActivitySerializer.columns),
)


def of_groups(ids: Collection[int]) -> dict[int, GroupState]:
    """Those that there are."""
    lists = {name: by_owner(rows(ids)) for name, rows in _linked_rows.items()}
    rings = by_owner(_ring_rows(ids))
    return {
        row[1]: group_state(row, {name: each[row[1]] for name, each in lists.items()}, rings[row[1]])
        for row in _group_rows(ids)
    }


def by_owner(rows: Iterable[Row]) -> defaultdict[int, list[Row]]:
    found: defaultdict[int, list[Row]] = defaultdict(list)
    for row in rows:
        found[row[0]].append(row)
    return found


def group_state(row: Row, lists: dict[str, list[Row]], rings: list[Row]) -> GroupState:
    number, *values = row
    group = GroupSerializer.from_values(values)
    said = {"group": group, "callStatus": group["callStatus"]}
    said |= {name: list(map(GroupPersonSerializer.from_values, rows[:MOST_LISTED])) for name, rows in lists.items()}
    told = {name: orjson.dumps({"groupId": group["id"], name: value}) for name, value in said.items()}
    for _, user_id, state in rings[:MOST_LISTED]:
        told[f"ring:{user_id}"] = orjson.dumps({"groupId": group["id"], "userId": user_id, "state": state})
    people = {name: frozenset(row[1] for row in rows) for name, rows in lists.items()}
    around = frozenset().union(*(people[name] for name, model in PEOPLE.items() if model in PARTS))
    return GroupState(
        group["name"], told, Mark(number, digest_of(told.values())), around, frozenset().union(*people.values())
    )


def of_people(ids: Collection[int]) -> dict[int, PersonState]:
    """Those that there are."""
    lists = {name: by_owner(rows(ids)) for name, rows in _ref_rows.items()}
    return {row[0]: person_state(row, {name: each[row[0]] for name, each in lists.items()}) for row in _people(ids)}


def person_state(row: Row, lists: dict[str, list[Row]]) -> PersonState:
    _, balance, is_active, is_staff, *sign_in = row
    refs = {name: [RefSerializer.from_values(values) for _, *values in rows] for name, rows in lists.items()}
    told = {
        "groups": orjson.dumps({name: each[:MOST_LISTED] for name, each in refs.items()}),
        "accountBalance": orjson.dumps({"accountBalance": dollars(balance)}),
    }
    groups = frozenset(ref["groupId"] for each in refs.values() for ref in each)
    return PersonState(
        told, digest_of(told.values()), groups, bool(is_active), bool(is_staff), (sign_in[0], sign_in[1])
    )


def activities(group_id: int, after: int) -> list[tuple[int, bytes]]:
    """Those with a greater number, in order, one more than MOST_MISSED at most: with the number, as JSON."""
    rows = _activities((group_id, after))
    return [
        (row["number"], orjson.dumps({"groupId": group_id, "activity": ActivitySerializer.shape(row)})) for row in rows
    ]
