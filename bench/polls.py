"""Are polls at the door what Django would answer, whoever has just written?

    python -m bench.polls [--polls 20000] [--seed 1] [--cuts 20]

Two servers on one database, a temporary SQLite file or one beside the PostgreSQL of DATABASE_URL: one with the door,
and one that keeps nothing (`gthread`). Writes go to the second, by the API and by statements of its own; then both are
polled as several people, and the whole answers compared. On PostgreSQL the door's connections are cut in between.
Exits with 1 at the first difference.
"""

import argparse
import json
import random
import signal
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from time import monotonic
from typing import Any

import dj_database_url
import psycopg2

from bench.database import manage, temporary_database
from bench.server import gunicorn

GROUPS, PEOPLE = (1, 2, 3, 4), (1, 2, 3, 4, 5, 6)
STAFF = 6
WRITE_EACH = 8  # polls
LISTS = ("groupOwners", "groupMembers", "groupInvitees", "callParticipants")
SIGN_IN = f"""
from users.models import User
from users.sign_in.binding import person_signed_in_as
from users.sign_in.local_issuer import local_token
from users.sign_in.tokens import verify
from groups.models import Group, Membership
User.objects.filter(pk={STAFF}).update(is_staff=True)
Membership.objects.bulk_create([Membership(group_id=g, user_id=u) for g in {GROUPS} for u in {PEOPLE[1:4]}],
    ignore_conflicts=True)
tokens = [local_token(user.email) for user in User.objects.filter(pk__in={PEOPLE}).order_by("pk")]
for token in tokens: person_signed_in_as(verify(token))
import json; print(json.dumps(tokens))
"""
FLAGS = ["--workers", "1", "--max-requests", "0"]  # a worker that is replaced closes connections that wait
OTHERWISE_EACH_TIME = {"date", "x-request-id", "connection", "keep-alive", "server"}
STATEMENTS = (
    "UPDATE users SET \"displayName\" = 'Name {n}' WHERE id = {person}",
    "UPDATE users SET is_active = NOT is_active WHERE id = {person} AND id > 2",
    "UPDATE groups SET name = 'Group {n}' WHERE id = {group}",
    "UPDATE activities SET activity = 'Sang' WHERE id = (SELECT min(id) FROM activities WHERE \"groupId\" = {group})",
    'DELETE FROM activities WHERE id IN (SELECT max(id) FROM activities WHERE "groupId" = {group})',
    'DELETE FROM "usersGroupsMembership" WHERE "groupId" = {group} AND "userId" = {person}',
)

Sent = tuple[int, dict[str, str], bytes]


class Asked:
    """A server, over one connection that stays open."""

    def __init__(self, port: int) -> None:
        self.connection = HTTPConnection("127.0.0.1", port, timeout=30)

    def ask(self, method: str, path: str, token: str, body: Any = None) -> Sent:
        headers = {"Authorization": f"Bearer {token}", **({"Content-Type": "application/json"} if body else {})}
        self.connection.request(method, path, json.dumps(body) if body else None, headers)
        answer = self.connection.getresponse()
        told = {name.lower(): value for name, value in answer.headers.items()}
        return answer.status, {k: v for k, v in told.items() if k not in OTHERWISE_EACH_TIME}, answer.read()


class Database:
    def __init__(self, url: str) -> None:
        parameters = dj_database_url.parse(url)
        self.is_postgresql = url.startswith("postgres")
        if self.is_postgresql:
            self.connection: Any = psycopg2.connect(url)
            self.connection.autocommit = True
        else:
            self.connection = sqlite3.connect(parameters["NAME"], isolation_level=None, timeout=10)

    def run(self, statement: str) -> None:
        self.connection.cursor().execute(statement)

    def cut(self) -> None:
        """The connections by which doors ask; their prepared question shows which they are."""
        self.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND query LIKE 'EXECUTE what_is_so%'"
        )


def writes(chance: random.Random, bare: Asked, database: Database, staff: str) -> Callable[[int], str]:
    """One write after the other, each named."""

    def by_api(method: str, path: str, body: Any = None) -> str:
        status, _, said = bare.ask(method, path, staff, body)
        if status >= 500:
            raise SystemExit(f"{method} {path}: {status} {said!r}")
        return f"{method} {path}"

    def write(number: int) -> str:
        group, person = chance.choice(GROUPS), chance.choice(PEOPLE[:-1])
        kind = chance.randrange(7)
        if kind == 0:
            return by_api("PUT", f"/api/users/{person}", {"firstName": f"First {number}"})
        if kind == 1:
            return by_api("PUT", f"/api/groups/{group}/callStatus", {"callStatus": bool(number % 2)})
        if kind == 2:
            return by_api("POST", f"/api/groups/{group}/activities", {"userId": person, "activity": f"Did {number}"})
        if kind == 3:
            return by_api("POST", f"/api/groups/{group}/{chance.choice(LISTS)}", {"userId": person})
        if kind == 4:
            return by_api("DELETE", f"/api/groups/{group}/{chance.choice(LISTS)}/{person}")
        statement = chance.choice(STATEMENTS).format(n=number, group=group, person=person)
        database.run(statement)
        return statement

    return write


def paths() -> list[str]:
    of_groups = [f"/api/groups/{group}/{name}" for group in GROUPS for name in ("callStatus", "activities", *LISTS)]
    return [*of_groups, *(f"/api/users/{person}{end}" for person in PEOPLE for end in ("", "/detailed"))]


def compare(given: argparse.Namespace, door: Asked, bare: Asked, database: Database, tokens: list[str]) -> Counter[int]:
    chance = random.Random(given.seed)
    write, all_paths, statuses = writes(chance, bare, database, tokens[STAFF - 1]), paths(), Counter[int]()
    cut_each = given.polls // (given.cuts + 1)
    for number in range(given.polls):
        done = write(number) if number % WRITE_EACH == 0 else ""
        if database.is_postgresql and number % cut_each == cut_each - 1:
            database.cut()
        path, token = chance.choice(all_paths), chance.choice(tokens)
        one, other = door.ask("GET", path, token), bare.ask("GET", path, token)
        if one != other:
            raise SystemExit(f"Poll {number}, GET {path} after {done}:\n{one}\nand Django says\n{other}")
        statuses[one[0]] += 1
    return statuses


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # unwinds: the servers are stopped, the database dropped
    parser = argparse.ArgumentParser(prog="python -m bench.polls", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--polls", type=int, default=20_000)
    parser.add_argument("--cuts", type=int, default=20, help="how often the door's connection is cut (PostgreSQL)")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with ExitStack() as stack:
        environment, _ = stack.enter_context(temporary_database(sign_in=True))
        tokens = json.loads(manage(environment, "shell", "--no-imports", "-c", SIGN_IN))
        servers = [
            stack.enter_context(
                gunicorn("voicechat.wsgi", ["--workers", "1", "--max-requests", "0", *flags], environment, "/healthz")
            )
            for flags in ([], ["--worker-class", "gthread"])
        ]
        door, bare = (Asked(server.port) for server in servers)
        database = Database(environment["DATABASE_URL"])
        stack.enter_context(closing(database.connection))
        begun = monotonic()
        statuses = compare(given, door, bare, database, tokens)
        _, _, ready = door.ask("GET", "/readyz", tokens[STAFF - 1])
    print(
        f"{given.polls} polls after {given.polls // WRITE_EACH} writes in {monotonic() - begun:.0f} s: no difference."
    )
    print(f"{dict(statuses.most_common())}; {json.loads(ready)['polls']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
