"""A person with everything around their groups: what the React page polls each five seconds.

Ten queries, however many groups and people there are. Each person is fetched once and written wherever they occur.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from functools import partial
from typing import Any

from django.db.models import QuerySet

from core.prepared import prepared
from core.wire import stamp
from groups.api.serializers import contact
from groups.models import CONTACT_COLUMNS, Activity, GroupPerson, Invitation, Membership, Ownership, Participant
from users.models import User

Row = dict[str, Any]
Lists = dict[int, list[Row]]

NEWEST = 50
"""How many activities of each group are given; `/activities` has them all."""

AROUND: tuple[tuple[str, str, type[GroupPerson]], ...] = (
    ("callParticipants", "participantCreatedAt", Participant),
    ("owners", "ownerCreatedAt", Ownership),
    ("members", "memberCreatedAt", Membership),
    ("invitees", "inviteeCreatedAt", Invitation),
)
OF_A_PERSON: tuple[tuple[str, str, type[GroupPerson]], ...] = (
    ("groupsOwned", "ownershipCreatedAt", Ownership),
    ("groupsBelongedTo", "membershipCreatedAt", Membership),
    ("groupsInvitedTo", "inviteCreatedAt", Invitation),
)


LINK = ("group_id", "user_id", "created_at")
WITH_GROUP = (*LINK, "group__name", "group__phone_number", "group__call_status", "group__created_at")


def _of_users(model: type[GroupPerson], user_ids: Collection[int]) -> QuerySet[Any]:
    return model.objects.filter(user_id__in=user_ids).order_by("id")


def _of_groups(model: type[GroupPerson], group_ids: Collection[int]) -> QuerySet[Any]:
    return model.objects.filter(group_id__in=group_ids).order_by("id")


def _newest(group_ids: Collection[int]) -> QuerySet[Any]:
    return Activity.objects.filter(group_id__in=group_ids).newest_of_each_group(NEWEST).newest_first()


links_of = {model: prepared(partial(_of_users, model), WITH_GROUP) for _, _, model in OF_A_PERSON}
links_around = {model: prepared(partial(_of_groups, model), LINK) for _, _, model in AROUND}
newest_activities = prepared(_newest, (*LINK, "id", "activity"))
people = prepared(lambda user_ids: User.objects.filter(pk__in=user_ids), CONTACT_COLUMNS)


def groups_around(user_id: int) -> dict[str, list[Row]]:
    """The three lists of groups, each group with its five lists, as the contract's `detailed` shows them."""
    linked = {name: links_of[model]([user_id]) for name, _, model in OF_A_PERSON}
    group_ids = {row["group_id"] for rows in linked.values() for row in rows}
    activities = newest_activities(group_ids)
    around = {name: links_around[model](group_ids) for name, _, model in AROUND}
    user_ids = {row["user_id"] for rows in (activities, *around.values()) for row in rows}
    contacts = {row["id"]: contact(row) for row in people(user_ids)}

    parts = {"activities": by_group(activities, contacts, activity_entry)}
    for name, stamp_key, _ in AROUND:
        parts[name] = by_group(around[name], contacts, partial(link_entry, stamp_key))
    return {name: [group_entry(row, stamp_key, parts) for row in linked[name]] for name, stamp_key, _ in OF_A_PERSON}


def by_group(rows: Iterable[Row], contacts: dict[int, Row], entry: Callable[[Row, Row], Row]) -> Lists:
    lists: Lists = defaultdict(list)
    for row in rows:
        if person := contacts.get(row["user_id"]):  # None: deleted between the two queries
            lists[row["group_id"]].append(entry(row, person))
    return lists


def link_entry(stamp_key: str, row: Row, person: Row) -> Row:
    return {stamp_key: stamp(row["created_at"]), **person}


def activity_entry(row: Row, person: Row) -> Row:
    """`id` is the person's, `createdAt` the activity's."""
    time = stamp(row["created_at"])
    return {
        "activityId": row["id"],
        "activityCreatedAt": time,
        "activity": row["activity"],
        **person,
        "createdAt": time,
    }


def group_entry(row: Row, stamp_key: str, parts: dict[str, Lists]) -> Row:
    group_id = row["group_id"]
    return {
        stamp_key: stamp(row["created_at"]),
        "groupCreatedAt": stamp(row["group__created_at"]),
        "groupId": group_id,
        "groupName": row["group__name"],
        "phoneNumber": row["group__phone_number"],
        "callStatus": row["group__call_status"],
        **{name: lists.get(group_id, []) for name, lists in parts.items()},
    }
