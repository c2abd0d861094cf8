"""The reads that every open page repeats each second: nearly all the traffic. One query each, compiled once.

A list is of one group, and has an entry more than is given at once where it goes on.
"""

from functools import partial
from typing import Any

from core.prepared import prepared
from core.wire import MOST_LISTED
from groups.api.serializers import ACTIVITY_COLUMNS
from groups.models import Activity, Group, GroupQuerySet

PEOPLE = ("ownerships", "memberships", "invitations", "participants")


def _with_people(people: str, group_ids: Any) -> GroupQuerySet:
    return Group.objects.filter(pk__in=group_ids).order_by(f"{people}__id")[: MOST_LISTED + 1]


call_status = prepared(lambda group_ids: Group.objects.filter(pk__in=group_ids), ("call_status",))

activities = prepared(
    lambda group_ids: Activity.objects.filter(group_id__in=group_ids).newest_first()[: MOST_LISTED + 1],
    ACTIVITY_COLUMNS,
)

linked = {
    people: prepared(
        partial(_with_people, people),
        {"group_id": "id", "user_id": f"{people}__user_id", "display_name": f"{people}__user__display_name"},
    )
    for people in PEOPLE
}
"""A list of people, and whether its group exists at all: one row a person; a group whose list is empty gives one row
without a person, no group gives none."""
