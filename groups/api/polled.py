"""The reads that every open page repeats each second: nearly all the traffic. One query each, compiled once.

A list is of one group, and has an entry more than is given at once where it goes on.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from core.prepared import Ids, prepared_shapes, prepared_values
from core.rows import Shape
from core.wire import MOST_LISTED
from groups.api.serializers import ActivitySerializer, CallStatusSerializer, GroupPersonSerializer
from groups.models import Activity, Group, GroupPerson, GroupQuerySet, Invitation, Membership, Ownership, Participant


def _linked(people: str) -> Callable[[Ids], list[Shape]]:
    """One list of people, asked for by way of their group."""
    columns = ("id", f"{people}__user_id", f"{people}__user__display_name")
    return prepared_values(partial(_with_people, people), columns, GroupPersonSerializer.from_values)


def _with_people(people: str, group_ids: Any) -> GroupQuerySet:
    return Group.objects.filter(pk__any=group_ids).order_by(f"{people}__id")[: MOST_LISTED + 1]


call_status = prepared_shapes(lambda group_ids: Group.objects.filter(pk__any=group_ids), CallStatusSerializer)

activities = prepared_shapes(
    lambda group_ids: Activity.objects.filter(group_id__any=group_ids).newest_first()[: MOST_LISTED + 1],
    ActivitySerializer,
)

linked: dict[type[GroupPerson], Callable[[Ids], list[Shape]]] = {
    Ownership: _linked("ownerships"),
    Membership: _linked("memberships"),
    Invitation: _linked("invitations"),
    Participant: _linked("participants"),
}
"""A list of people, and whether its group exists at all: one entry a person; a group whose list is empty gives one
without a person, no group gives none."""
