"""What the triggers that count versions cost a write: with them and without, in turns, in one run.

    python -m bench.triggers [--rounds 4] [--people 1000] [--activities 100000]

On a temporary SQLite file, or on a database beside the PostgreSQL of DATABASE_URL. Statements of their own, then whole
requests in this process; then so many people deleted at once, and a group with so many activities. Exits with 1 where a
write pays over 0.2 ms, or a deletion over 1.3 times. Linux alone says what PostgreSQL's process did.
"""

import argparse
import os
import signal
import sys

from bench.database import empty_database, manage, shown

OFF = dict.fromkeys(("THROTTLE_ACTIVITIES", "THROTTLE_INVITATIONS", "THROTTLE_NOTIFICATIONS"), "off")


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # unwinds: the database is dropped
    parser = argparse.ArgumentParser(prog="python -m bench.triggers", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--rounds", type=int, default=4, help="of 25 writes of each kind, with and without (%(default)s)"
    )
    parser.add_argument("--people", type=int, default=1_000, help="deleted at once (%(default)s); 0 for none")
    parser.add_argument("--activities", type=int, default=100_000, help="of the group that is deleted; 0 for none")
    given = parser.parse_args()
    with empty_database("_triggers") as url:
        environment = {**os.environ, "DATABASE_URL": url, "DB_ENV": "development", **OFF}
        manage(environment, "migrate", "--noinput", "--verbosity", "0")
        code = f"from bench.trigger_costs import measure; measure{given.rounds, given.people, given.activities}"
        lines = shown(environment, code)
    return int(any(line.endswith("TOO MUCH") for line in lines))


if __name__ == "__main__":
    sys.exit(main())
