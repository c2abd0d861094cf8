"""Which rows are about a person, and what of them that person is given: `voicechat/personal_data.py` says the columns.

Other people stand in it only as the person's groups saw them, by the name that they show.
"""

from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import Any

from django.apps import apps
from django.db.models import ForeignKey, Model, Q, QuerySet

from groups.models import PARTS, Group, GroupPerson, Participant
from users.models import User
from voicechat.personal_data import KEPT

LISTS: tuple[type[GroupPerson], ...] = (*PARTS, Participant)
AT_ONCE = 1000
"""Rows that are in memory together."""
Rows = QuerySet[Any]

OWNERS: dict[str, tuple[str, ...]] = {
    "users": ("pk",),
    "notificationChoices": ("user",),
    "verifiedNumbers": ("user",),
    "invitationLinks": ("made_by",),
    "invitationLinkUsers": ("user",),
    "pictures": ("user",),
    **dict.fromkeys((part._meta.db_table for part in LISTS), ("user",)),
    "activities": ("user",),
    "devices": ("user",),
    "notices": ("user",),
    "accounts": ("user",),
    "ledgerEntries": ("account__user",),
    "topUps": ("account__user",),
    "refundRequests": ("account__user",),
    "disputes": ("account__user",),
    "cards": ("user",),
    "callSessions": ("user_id",),
    "rings": ("user", "by"),
    "captions": ("user",),
}
"""By which way, or ways, a table's rows lead to the person whom they are about. `groups` are those of theirs."""


@cache
def exported() -> dict[str, list[str]]:
    """The columns of each table that belong into an export."""
    tables: dict[str, list[str]] = {}
    for each in KEPT:
        if each.exported:
            tables.setdefault(each.table, []).extend(each.columns.split())
    return tables


@cache
def models() -> dict[str, type[Model]]:
    return {model._meta.db_table: model for model in apps.get_models(include_auto_created=True)}


def rows_of(table: str, user_id: int) -> Rows:
    if table == "groups":
        return Group.objects.around(user_id).order_by("pk")
    theirs = Q(*((way, user_id) for way in OWNERS[table]), _connector=Q.OR)
    return models()[table]._base_manager.filter(theirs).order_by("pk")


def written_rows(table: str, user_id: int) -> Iterator[dict[str, Any]]:
    """Each as JSON shall say it, a column to a key."""
    fields = {str(field.column): field for field in models()[table]._meta.concrete_fields}
    chosen = [fields[column] for column in exported()[table]]
    people = [field.attname for field in chosen if isinstance(field, ForeignKey) and field.related_model is User]
    columns = {fields[column].attname: column for column in exported()[table]}
    rows = rows_of(table, user_id).values(*columns).iterator(AT_ONCE)
    while part := list(islice(rows, AT_ONCE)):
        named = names({row[key] for row in part for key in people} - {None})
        beside = people_of([row["id"] for row in part]) if table == "groups" else {}
        for row in part:
            said = {**row, **{key: named.get(row[key]) for key in people}}
            yield {**{columns[key]: value for key, value in said.items()}, **beside.get(row.get("id", 0), {})}


def names(user_ids: set[int]) -> dict[int, str]:
    return dict(User.objects.filter(pk__in=user_ids).values_list("pk", "display_name"))


def people_of(group_ids: list[int]) -> dict[int, dict[str, list[str]]]:
    """Who has which part in these groups, by the names that everybody in them sees."""
    found: dict[int, dict[str, list[str]]] = {pk: {part._meta.db_table: [] for part in LISTS} for pk in group_ids}
    for part in LISTS:
        in_them = part._base_manager.filter(group__in=group_ids).order_by("pk")
        for group_id, name in in_them.values_list("group_id", "user__display_name"):
            found[group_id][part._meta.db_table].append(name)
    return found


def size_of(user_id: int, *, most: int) -> int:
    """How many rows an export has; counted no further than a little beyond `most`."""
    counted = 0
    for table in exported():
        counted += rows_of(table, user_id).order_by()[: most - counted + 1].count()
        if counted > most:
            break
    return counted
