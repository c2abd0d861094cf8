"""What the database is asked before a kept answer is given again: may this caller see it, and is it still so?

Many polls are one statement, which sees one state of the database. Who asks has a driver's connection of their own.

What an answer shows is named by the groups and people of whom it has anything. To keep one: `ask` for its state, *then*
let Django make it, and keep it with that state if it names the same ones as before. It may be given while the state is
the same: data that are newer than their state only cost another answer.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from rest_framework.permissions import BasePermission

from core.timestamps import VERSIONS_SINCE
from groups.api.permissions import ANYBODY, MayInGroup, Rule, furthest
from groups.models import PARTS
from users.api.permissions import IsSelf, IsSignedUp
from users.callers import Everybody, Identity, is_whole_for


class Right(NamedTuple):
    """What lets a caller read: one of the three permissions, and of a group's doors the rule."""

    permission: type[BasePermission]
    rule: Rule | None = None


SIGNED_UP = Right(IsSignedUp)


@cache
def right_of(view: Any, action: str) -> Right:
    """The right that a view class asks for. Raises ValueError for any that is not known here."""
    by_action = getattr(view, "action_permissions", {})
    (permission,) = (by_action[action],) if action in by_action else view.permission_classes
    if permission is MayInGroup:
        return Right(MayInGroup, view.rules[action])
    if permission not in (IsSelf, IsSignedUp):
        raise ValueError(f"{permission.__name__} of {view.__name__} is not known here.")
    return Right(permission)


@dataclass(frozen=True, slots=True)
class Poll:
    caller: Identity | Everybody
    """Whom a verified token names; Everybody in open mode alone."""
    right: Right = SIGNED_UP
    of: int | None = None
    """The group or the person of the path."""
    groups: Sequence[int] = ()
    """What the kept answer shows: these groups, their lists and activities; and"""
    people: Sequence[int] = ()
    """these people's rows; and"""
    parts_of: int | None = None
    """that the groups of this person are those and no others."""


class Answer(NamedTuple):
    is_allowed: bool
    """Where not, it is for Django to say why."""
    pk: int | None
    """Who the caller is; None where they are nobody, disabled, or everybody."""
    is_staff: bool
    state: str
    """Of what is shown. It never comes back, once anything has changed."""


def digest(number: str) -> str:
    """Of rows whose number only grows while they are there, and of which a new one's is higher than all before."""
    return f"count(*) || '/' || coalesce(sum({number}), 0) || ' '"


OWN = " || ".join(
    f'(SELECT {digest("id")} FROM "{each._meta.db_table}" WHERE "userId" = asked.parts_of)' for each in PARTS
)
# No EXISTS: for several polls PostgreSQL would rather read the whole table once than look a few rows up.
HAS = ", ".join(
    f'(SELECT 1 FROM "{each._meta.db_table}" WHERE "groupId" = asked.of_group AND "userId" = caller.id) IS NOT NULL'
    for each in PARTS
)
VERSIONS = digest(f"version - {VERSIONS_SINCE}")
SQL = f"""
SELECT asked.place, caller.id, caller.is_staff, {HAS},
(SELECT {VERSIONS} FROM groups WHERE id {{groups}}) || (SELECT {VERSIONS} FROM users WHERE id {{people}}) ||
CASE WHEN asked.parts_of IS NULL THEN '' ELSE {OWN} END || coalesce((SELECT version FROM "everyGroup" WHERE id = 1), 0)
FROM {{asked}} LEFT JOIN {{caller}}
"""
IS_CALLER = '"oidcIssuer" = asked.issuer AND "oidcSubject" = asked.subject AND is_active'
NAMES = ("place", "issuer", "subject", "of_group", "groups", "people", "parts_of")
READ = ", ".join(f"json_extract(value, '$.{name}') AS {name}" for name in NAMES)
SQLITE = SQL.format(
    asked=f"(SELECT {READ} FROM json_each(?)) AS asked",
    caller=f"users AS caller ON {IS_CALLER}",
    groups="IN (SELECT value FROM json_each(asked.groups))",
    people="IN (SELECT value FROM json_each(asked.people))",
)
POSTGRESQL = SQL.format(
    asked="json_to_recordset({}) AS asked (place int, issuer text, subject text, of_group bigint, groups bigint[], "
    "people bigint[], parts_of bigint)",
    # OFFSET 0: for each poll by the index; joined as a whole, it would read everybody
    caller=f"LATERAL (SELECT id, is_staff FROM users WHERE {IS_CALLER} OFFSET 0) AS caller ON true",
    groups="= ANY (asked.groups)",
    people="= ANY (asked.people)",
)
QUESTION = {"postgresql": POSTGRESQL.format("%s"), "sqlite": SQLITE}
"""By the database: one parameter, the polls as JSON."""
PREPARE = f"PREPARE what_is_so (json) AS {POSTGRESQL.format('$1')}"
EXECUTE = "EXECUTE what_is_so (%s)"
"""The same on PostgreSQL, planned once for each connection. Behind a pooler the plain question is asked."""
SETTINGS = "SET enable_seqscan = off; SET enable_bitmapscan = off; SET plan_cache_mode = force_generic_plan"
"""Of a connection that prepares it, or PostgreSQL may read a whole table for a handful of ids."""


def ask(cursor: Any, question: str, polls: Sequence[Poll]) -> list[Answer]:
    """The answers, in the order of the polls. `cursor` is a driver's (psycopg2, sqlite3), whose errors it raises."""
    cursor.execute(question, (as_json(polls),))
    return answers(polls, cursor.fetchall())


def as_json(polls: Sequence[Poll]) -> str:
    return json.dumps([asked(place, poll) for place, poll in enumerate(polls)])


def answers(polls: Sequence[Poll], found: Iterable[Sequence[Any]]) -> list[Answer]:
    """In the order of the polls; the rows may come in any."""
    rows = {place: columns for place, *columns in found}
    return [answer(poll, *rows[place]) for place, poll in enumerate(polls)]


def asked(place: int, poll: Poll) -> dict[str, Any]:
    shown = {"place": place, "groups": poll.groups, "people": poll.people, "parts_of": poll.parts_of}
    if isinstance(poll.caller, Everybody):
        return shown
    of_group = poll.of if poll.right.permission is MayInGroup else None
    return {**shown, "issuer": poll.caller.issuer, "subject": poll.caller.subject, "of_group": of_group}


def answer(poll: Poll, pk: int | None, is_staff: int | None, *found: Any) -> Answer:
    *parts, state = found
    if isinstance(poll.caller, Everybody):
        return Answer(is_allowed=True, pk=None, is_staff=True, state=state)
    seen = Answer(is_allowed=False, pk=pk, is_staff=bool(is_staff), state=state)
    return seen._replace(is_allowed=pk is not None and may_read(poll, seen, parts))


def may_read(poll: Poll, caller: Answer, parts: Sequence[bool]) -> bool:
    """What the permission says of whoever has signed up: tests/access/matrix.py holds the two together."""
    if poll.right.permission is IsSignedUp:
        return True
    if poll.right.permission is IsSelf:
        return poll.of is not None and is_whole_for(caller, poll.of)
    return caller.is_staff or (poll.right.rule is not None and furthest(poll.right.rule, parts) is ANYBODY)
