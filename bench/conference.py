"""How long one event takes in a conference that has had ten thousand: it must not grow with them.

    python -m bench.conference [--events 10000]

On a temporary SQLite file, or on a database beside the PostgreSQL of DATABASE_URL. Two conferences of four people: one
in which somebody mutes again and again, and one in which they leave and call again all the time.
"""

import argparse
import os
import signal
import sys

from bench.database import empty_database, manage


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # unwinds: the database is dropped
    parser = argparse.ArgumentParser(prog="python -m bench.conference", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--events", type=int, default=10_000)
    events = parser.parse_args().events
    with empty_database("_conference") as url:
        environment = {**os.environ, "DATABASE_URL": url, "DB_ENV": "development"}
        manage(environment, "migrate", "--noinput", "--verbosity", "0")
        curve = f"from bench.conference_curve import curves; curves({events})"
        print(manage(environment, "shell", "--no-imports", "-c", curve), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
