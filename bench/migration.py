"""How long the migration that adds versions holds up who reads and writes, at a million people.

    DATABASE_URL=postgres://… python -m bench.migration [--people 1000000] [--activities 4500000]

On a database beside the PostgreSQL of DATABASE_URL: the columns, the table and the triggers are taken away, the tables
filled, and all of it is added by the statements that Django has for it, while others read and write the same tables.
Exits with 1 where one of them waited for over a second.
"""

import argparse
import os
import signal
import sys

from bench.database import empty_database, manage, shown


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # unwinds: the database is dropped
    parser = argparse.ArgumentParser(prog="python -m bench.migration", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--activities", type=int, default=4_500_000)
    given = parser.parse_args()
    if not os.environ.get("DATABASE_URL", "").startswith("postgres"):
        parser.error("DATABASE_URL must name a PostgreSQL: on SQLite nobody writes while it migrates")
    with empty_database("_migration") as url:
        environment = {**os.environ, "DATABASE_URL": url, "DB_ENV": "development"}
        manage(environment, "migrate", "--noinput", "--verbosity", "0")
        code = f"from bench.migrate_at_volume import measure; measure{given.people, given.activities}"
        lines = shown(environment, code)
    return int(any(line.endswith("TOO LONG") for line in lines))


if __name__ == "__main__":
    sys.exit(main())
