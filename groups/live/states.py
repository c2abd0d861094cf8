"""What events say: the very shapes of the GETs, read for many groups at once."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

import orjson
from django.db.models import QuerySet

from core.prepared import Ids, prepared, prepared_values
from core.wire import MOST_LISTED, dollars
from groups.api.serializers import (
    ActivitySerializer,
    CaptionSerializer,
    GroupPersonSerializer,
    GroupSerializer,
    RefSerializer,
)
from groups.live.places import Mark, digest_of
from groups.models import (
    PARTS,
    Activity,
    Caption,
    CaptionCount,
    Group,
    Invitation,
    Membership,
    Ownership,
    PartialCaption,
    Participant,
    Ring,
)
from users.models import User

MOST_MISSED = 500
"""Activities, or captions, of a group that are told after each other. Who missed more reads everything again."""
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
CAPTION = "caption"

Told = Mapping[str, bytes]
"""By the event's name, its data as JSON. Of an event that comes for each person, by its name, a colon and their id;
of what is being said, by `caption`, a colon and what writes it down."""
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
    talks: frozenset[int]
    """Of those, the ones that they are in, and not only invited to."""
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
_caption_counts = prepared_values(
    lambda ids: CaptionCount.objects.filter(group_id__any=ids), ("group_id", "last_caption"), tuple
)
_partial_rows = prepared_values(
    lambda ids: PartialCaption.objects.filter(group_id__any=ids).exclude(text="").order_by("created_at", "pk"),
    ("group_id", "pk", "user_id", "display_name", "text", "language", "created_at"),
    tuple,
)
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
_captions = prepared(
    lambda keys: (
        Caption.objects.filter(group_id=keys[0], number__gt=keys[1])
        .exclude(text="")
        .order_by("number")[: MOST_MISSED + 1]
    ),
    ("number", *CaptionSerializer.columns),
)


def of_groups(ids: Collection[int]) -> dict[int, GroupState]:
    """Those that there are."""
    lists = {name: by_owner(rows(ids)) for name, rows in _linked_rows.items()}
    rings, partials = by_owner(_ring_rows(ids)), by_owner(_partial_rows(ids))
    captions = dict(_caption_counts(ids))
    return {
        pk: group_state(
            row, {name: each[pk] for name, each in lists.items()}, rings[pk], partials[pk], captions.get(pk, 0)
        )
        for row in _group_rows(ids)
        for pk in (row[1],)
    }


def by_owner(rows: Iterable[Row]) -> defaultdict[int, list[Row]]:
    found: defaultdict[int, list[Row]] = defaultdict(list)
    for row in rows:
        found[row[0]].append(row)
    return found


def group_state(
    row: Row, lists: dict[str, list[Row]], rings: list[Row], partials: list[Row], last_caption: int
) -> GroupState:
    number, *values = row
    group = GroupSerializer.from_values(values)
    said = {"group": group, "callStatus": group["callStatus"]}
    said |= {name: list(map(GroupPersonSerializer.from_values, rows[:MOST_LISTED])) for name, rows in lists.items()}
    told = {name: orjson.dumps({"groupId": group["id"], name: value}) for name, value in said.items()}
    for _, user_id, state in rings[:MOST_LISTED]:
        told[f"ring:{user_id}"] = orjson.dumps({"groupId": group["id"], "userId": user_id, "state": state})
    for each in partials[:MOST_LISTED]:
        told[f"{CAPTION}:{each[1]}"] = orjson.dumps(partial_caption(*each))
    people = {name: frozenset(row[1] for row in rows) for name, rows in lists.items()}
    around = frozenset().union(*(people[name] for name, model in PEOPLE.items() if model in PARTS))
    mark = Mark(number, digest_of(told.values()), last_caption)
    return GroupState(group["name"], told, mark, around, frozenset().union(*people.values()))


def partial_caption(
    group_id: int, pk: str, user_id: int | None, display_name: str, text: str, language: str, created_at: datetime
) -> dict[str, Any]:
    """As a caption that nobody keeps, and that has no id."""
    row = {"id": None, "user_id": user_id, "display_name": display_name, "text": text, "language": language}
    said = {"created_at": created_at, "typed": False, "spoken": None, "why": None}
    return {"groupId": group_id, "caption": CaptionSerializer.shape({**row, **said}), "final": False}


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
    groups = {name: frozenset(ref["groupId"] for ref in each) for name, each in refs.items()}
    return PersonState(
        told,
        digest_of(told.values()),
        frozenset().union(*groups.values()),
        groups["groupsOwned"] | groups["groupsBelongedTo"],
        bool(is_active),
        bool(is_staff),
        (sign_in[0], sign_in[1]),
    )


def activities(group_id: int, after: int) -> list[tuple[int, bytes]]:
    """Those with a greater number, in order, one more than MOST_MISSED at most: with the number, as JSON."""
    rows = _activities((group_id, after))
    return [
        (row["number"], orjson.dumps({"groupId": group_id, "activity": ActivitySerializer.shape(row)})) for row in rows
    ]


def captions(group_id: int, after: int) -> list[tuple[int, bytes]]:
    """As `activities`. One that has changed since comes as it is now."""
    rows = _captions((group_id, after))
    return [
        (
            row["number"],
            orjson.dumps({"groupId": group_id, "caption": CaptionSerializer.shape(row), "final": True}),
        )
        for row in rows
    ]
