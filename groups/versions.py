"""What a kept answer is asked of the database before it is given again: may this caller see it, and is it still so?

Many polls are one question, of one statement, in one snapshot. Who asks has a connection of their own, not Django's.

To keep an answer: `ask` for the state of what it shows, *then* let Django make it, and keep it with that state, if it
shows the same groups and people as before. It is still so while `ask` gives the same state.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from core.timestamps import VERSIONS_SINCE
from groups.api.permissions import ANYBODY, Rule, furthest
from groups.models import PARTS, Group
from users.callers import Everybody, Identity, is_whole_for
from users.models import User


@dataclass(frozen=True, slots=True)
class Poll:
    """One question. An answer shows all groups and people that it has anything of, no others."""

    caller: Identity | Everybody
    """Whom the token names, verified; Everybody in open mode alone."""
    group: int | None = None
    """Whose door it is, by the `rule` of its action; or"""
    rule: Rule | None = None
    person: int | None = None
    """whose door it is, who must be the caller (or the caller is staff). Neither: whoever has signed up may see it."""
    groups: Sequence[int] = ()
    people: Sequence[int] = ()
    parts_of: int | None = None
    """The person whose own groups the answer lists: each must be in `groups`, too."""


class Answer(NamedTuple):
    is_allowed: bool
    """Where not, Django is to say why."""
    caller_id: int | None
    is_staff: bool
    state: str
    """To be compared as it is. Whatever changes in what is shown gives another one, which never comes back."""

    @property
    def pk(self) -> int | None:
        """With `is_staff` what `users.callers.is_whole_for` wants to know of a caller."""
        return self.caller_id


def columns(asked: str, ids: str) -> str:
    """What is found for each poll. `asked` are the polls, `ids` how one of their lists is read."""
    parts = [
        f'EXISTS (SELECT 1 FROM "{each._meta.db_table}" WHERE "groupId" = asked.group_id AND "userId" = caller.id)'
        for each in PARTS
    ]
    rows = [
        f'(SELECT {digest(f"version - {VERSIONS_SINCE}")} FROM "{model._meta.db_table}" WHERE id {ids.format(name)})'
        for model, name in ((Group, "groups"), (User, "people"))
    ]
    own = [f'(SELECT {digest("id")} FROM "{each._meta.db_table}" WHERE "userId" = asked.parts_of)' for each in PARTS]
    return (
        f"SELECT asked.place, caller.id, caller.is_staff, {', '.join(parts)}, {' || '.join([*rows, *own])} "
        f'FROM {asked} LEFT JOIN users AS caller ON caller."oidcIssuer" = asked.issuer '
        'AND caller."oidcSubject" = asked.subject AND caller.is_active'
    )


def digest(number: str) -> str:
    """Of rows that go, and of numbers that only grow: no two sets of them that follow each other have the same."""
    return f"count(*) || '/' || coalesce(sum({number}), 0) || ' '"


NAMES = ("place", "issuer", "subject", "group_id", "groups", "people", "parts_of")
READ = ", ".join(f"json_extract(value, '$.{name}') AS {name}" for name in NAMES)
POSTGRESQL = columns(
    "json_to_recordset({}) AS asked (place int, issuer text, subject text, group_id bigint, groups bigint[], "
    "people bigint[], parts_of bigint)",
    "= ANY(asked.{})",
)
SQLITE = columns(
    f"(SELECT {READ} FROM json_each({{}})) AS asked",
    "IN (SELECT value FROM json_each(asked.{}))",
)
QUESTION = {"postgresql": POSTGRESQL.format("%s"), "sqlite": SQLITE.format("?")}
"""By the database: one parameter, the polls as JSON (`as_json`); one row a poll, in any order."""
PREPARE = f"PREPARE what_is_so (json) AS {POSTGRESQL.format('$1')}"
EXECUTE = "EXECUTE what_is_so (%s)"
"""The same on PostgreSQL, planned once for each connection: not behind a pooler."""
SETTINGS = "SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan"
"""What a connection that prepares it wants: without these PostgreSQL may read a whole table for a handful of ids."""


def as_json(polls: Sequence[Poll]) -> str:
    return json.dumps([asked(place, poll) for place, poll in enumerate(polls)])


def asked(place: int, poll: Poll) -> dict[str, Any]:
    lists = {"groups": poll.groups, "people": poll.people, "parts_of": poll.parts_of}
    if isinstance(poll.caller, Everybody):
        return {"place": place, **lists}
    return {
        "place": place,
        "issuer": poll.caller.issuer,
        "subject": poll.caller.subject,
        "group_id": poll.group,
        **lists,
    }


def ask(cursor: Any, question: str, polls: Sequence[Poll]) -> list[Answer]:
    """The answers, in the order of the polls. `cursor` is a driver's own (psycopg2, sqlite3). Raises its errors."""
    cursor.execute(question, (as_json(polls),))
    found = {row[0]: row for row in cursor.fetchall()}
    return [answer(poll, found[place]) for place, poll in enumerate(polls)]


def answer(poll: Poll, row: Sequence[Any]) -> Answer:
    _, caller_id, is_staff, *parts, state = row
    if isinstance(poll.caller, Everybody):
        return Answer(True, None, Everybody.is_staff, state)
    return Answer(is_allowed(poll, caller_id, bool(is_staff), parts), caller_id, bool(is_staff), state)


def is_allowed(poll: Poll, caller_id: int | None, is_staff: bool, parts: Sequence[bool]) -> bool:
    """What `MayInGroup`, `IsSelf` and `IsSignedUp` say."""
    if caller_id is None or is_staff:
        return caller_id is not None
    if poll.group is not None:
        return poll.rule is not None and furthest(poll.rule, parts) is ANYBODY
    return poll.person is None or caller_id == poll.person
