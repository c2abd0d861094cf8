"""A person with everything around their groups: what the React page polls each five seconds.

Ten queries, however many groups and people there are. Each person is fetched once and written wherever they occur.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from itertools import chain
from typing import Any

from django.db.models import QuerySet
from rest_framework.serializers import ListSerializer

from core.prepared import Values, prepared_shapes, prepared_values
from core.rows import RowSerializer, Shape
from groups.api.detailed_serializers import NEWEST, ContactSerializer, DetailedSerializer, GroupAroundSerializer
from groups.models import Activity
from users.models import User


def lists_of(serializer: type[RowSerializer]) -> dict[str, Any]:
    """The lists that an answer nests, in their order, and the serializer of each."""
    fields = serializer().fields.items()
    return {name: type(field.child) for name, field in fields if isinstance(field, ListSerializer)}


OF_A_PERSON, AROUND = lists_of(DetailedSerializer), lists_of(GroupAroundSerializer)


def _of_users(model: Any, user_ids: Collection[int]) -> QuerySet[Any]:
    rows: QuerySet[Any] = model.objects.filter(user_id__any=user_ids).order_by("id")
    return rows


def _of_groups(model: Any, group_ids: Collection[int]) -> QuerySet[Any]:
    rows: QuerySet[Any] = model.objects.filter(group_id__any=group_ids).order_by("id")
    if model is Activity:
        rows = Activity.objects.filter(group_id__any=group_ids).newest_of_each_group(NEWEST).newest_first()
    return rows


groups_of = {name: prepared_shapes(partial(_of_users, each.model), each) for name, each in OF_A_PERSON.items()}
rows_of = {
    name: prepared_values(partial(_of_groups, each.model), ("group_id", "user_id", *each.own_columns), tuple)
    for name, each in AROUND.items()
}
people = prepared_shapes(lambda user_ids: User.objects.filter(pk__any=user_ids), ContactSerializer)


def groups_around(user_id: int) -> dict[str, list[Shape]]:
    """The three lists of groups, each group with its five lists, as `detailed` shows them."""
    groups = {name: read([user_id]) for name, read in groups_of.items()}
    group_ids = {group["groupId"] for listed in groups.values() for group in listed}
    around = {name: read(group_ids) for name, read in rows_of.items()}
    user_ids = {user_id for rows in around.values() for _, user_id, *_ in rows}
    contacts = {person["id"]: person for person in people(user_ids)}
    lists = {name: by_group(around[name], contacts, each.with_contact) for name, each in AROUND.items()}
    for group in chain.from_iterable(groups.values()):
        group.update({name: of_groups.get(group["groupId"], []) for name, of_groups in lists.items()})
    return groups


def by_group(
    rows: Iterable[Values], contacts: dict[int, Shape], with_contact: Callable[[Sequence[Any], Shape], Shape]
) -> dict[int, list[Shape]]:
    lists = defaultdict(list)
    for group_id, user_id, *own in rows:
        if person := contacts.get(user_id):  # None: deleted between the two queries
            lists[group_id].append(with_contact(own, person))
    return lists
