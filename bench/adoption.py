"""How long a take-over lasts: 100,000 people and a million activities of the first back end, with years of mess.

    python -m bench.adoption [--people 100000] [--activities 1000000]
    DATABASE_URL=postgres://… python -m bench.adoption

In place on a temporary SQLite file, or on a database beside the PostgreSQL of DATABASE_URL. Exits with 1 where it takes
longer than five minutes, or does not succeed.
"""

import argparse
import os
import resource
import signal
import sys
import time

from bench.database import empty_database, stream
from tests.adoption.first import Old

MOST_SECONDS = 300.0
SERIES = {
    "postgresql": "generate_series(1, {count}) AS n(i)",
    "sqlite": "(WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < {count}) SELECT i FROM n) n",
}
TIMES = {
    "postgresql": "(timestamptz '2019-04-01 00:00:00+00' + i * interval '1 minute')",
    "sqlite": "datetime('2019-04-01 00:00:00', '+' || i || ' minutes')",
}
STATEMENTS = (
    # Of a hundred people one has written their e-mail in capitals before.
    """INSERT INTO users (id, email, "displayName", "phoneNumber", "stripeId", last4, "accountBalance", "createdAt")
    SELECT i, CASE WHEN i % 100 = 0 THEN 'PERSON' || (i - 1) ELSE 'person' || i END || '@example.com', 'Person ' || i,
    5550000 + i, CASE WHEN i % 3 > 0 THEN 'cus_' || i END, CASE WHEN i % 3 > 0 THEN '4242' END, (i % 5000) / 100.0,
    {time} FROM {people}""",
    """INSERT INTO groups (id, name, "createdAt") SELECT i, 'Group ' || i, {time} FROM {groups}""",
    """INSERT INTO "usersGroupsOwnership" ("groupId", "userId", "createdAt") SELECT i, i, {time} FROM {groups}""",
    """INSERT INTO "usersGroupsMembership" ("groupId", "userId", "createdAt")
    SELECT 1 + (i + i / {people_count}) % {group_count}, 1 + (i * 7) % {people_count}, {time} FROM {members}""",
    """INSERT INTO "usersGroupsMembership" ("groupId", "userId", "createdAt")
    SELECT 1 + i % {group_count}, 1 + (i * 7) % {people_count}, {time} FROM {groups}""",
    """INSERT INTO "usersGroupsInvitations" ("groupId", "userId", "createdAt")
    SELECT i, {people_count} + 1 - i, {time} FROM {groups}""",
    """INSERT INTO activities ("groupId", "userId", activity, "createdAt")
    SELECT 1 + i % {group_count}, 1 + i % {people_count}, 'started call ' || i, {time} FROM {activities}""",
    """INSERT INTO "callSessions" ("userId", "groupId", "startTime", "endTime", duration, price, "createdAt")
    SELECT i, 1 + i % {group_count}, '2019-04-14T10:00:00Z', '2019-04-14T10:02:00Z', 2, -0.017, {time} FROM {people}""",
)


def fill(old: Old, people: int, activities: int) -> None:
    counts = {"people": people, "groups": people // 5, "members": people * 3, "activities": activities}
    series = {name: SERIES[old.vendor].format(count=count) for name, count in counts.items()}
    for statement in STATEMENTS:
        words = {"time": TIMES[old.vendor], "group_count": counts["groups"], "people_count": people, **series}
        old.run(statement.format(**words))
    old.run("ANALYZE")


def run(url: str, *arguments: str) -> tuple[float, float]:
    """Seconds by the clock, and of the command's own processor time."""
    begun, used = time.monotonic(), processor_time()
    for line in stream({**os.environ, "DATABASE_URL": url, "DB_ENV": "development"}, "adopt_database", *arguments):
        print(f"{time.monotonic() - begun:7.1f}  {line}", flush=True)
    return time.monotonic() - begun, processor_time() - used


def processor_time() -> float:
    """Of the processes that have ended. PostgreSQL's own are none of ours."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # unwinds: the database is dropped
    parser = argparse.ArgumentParser(prog="python -m bench.adoption", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--activities", type=int, default=1_000_000)
    given = parser.parse_args()
    with empty_database("_bench_adoption") as url:
        fill(Old(url).make(), given.people, given.activities)
        dry, wet = run(url, "--dry-run"), run(url)
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    for name, (seconds, used) in (("dry run", dry), ("take-over", wet)):
        print(f"{name}: {seconds:.0f} s by the clock, {used:.0f} s of the command's own processor time")
    print(f"{most:,} MiB at most")
    return int(wet[0] > MOST_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
