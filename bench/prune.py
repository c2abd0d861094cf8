"""How long `manage.py prune` takes to forget a million rows of each kind, in runs as a scheduler makes them.

    python -m bench.prune [--rows 1000000]

On a temporary SQLite file, or on a database beside the PostgreSQL of DATABASE_URL. Exits with 1 where a run takes over
a minute, or one forgets nothing though something is left.
"""

import argparse
import os
import signal
import sys
import time

from bench.database import empty_database, manage

MOST_SECONDS = 60.0


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # unwinds: the database is dropped
    parser = argparse.ArgumentParser(prog="python -m bench.prune", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000, help="of each kind (%(default)s)")
    rows = parser.parse_args().rows
    with empty_database("_prune") as url:
        environment = {**os.environ, "DATABASE_URL": url, "DB_ENV": "development"}
        manage(environment, "migrate", "--noinput", "--verbosity", "0")
        begun = time.monotonic()
        manage(environment, "shell", "--no-imports", "-c", f"from bench.fill_kept import fill; fill({rows})")
        print(f"filled in {time.monotonic() - begun:.1f} s\n", flush=True)
        return forget(environment)


def forget(environment: dict[str, str]) -> int:
    left = None
    while left != 0:
        begun, before = time.monotonic(), left
        said = manage(environment, "prune")
        seconds = time.monotonic() - begun
        print(f"{said}in {seconds:.1f} s\n", flush=True)
        left = sum(int(line.split()[-1].replace(",", "")) for line in said.splitlines()[1:] if line[-1].isdigit())
        if seconds > MOST_SECONDS or left == before:
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
