"""How long `manage.py check_ledger` takes on a million entries.

    python -m bench.ledger [--entries 1000000]

On a temporary SQLite file, or on a database beside the PostgreSQL of DATABASE_URL. Exits with 1 when it takes over a
minute.
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
    parser = argparse.ArgumentParser(prog="python -m bench.ledger", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--entries", type=int, default=1_000_000)
    entries = parser.parse_args().entries
    with empty_database("_ledger") as url:
        environment = {**os.environ, "DATABASE_URL": url, "DB_ENV": "development"}
        manage(environment, "migrate", "--noinput", "--verbosity", "0")
        print(f"Filling a ledger with {entries:,} entries ...", flush=True)
        begun = time.monotonic()
        manage(environment, "shell", "--no-imports", "-c", f"from bench.fill_ledger import fill; fill({entries})")
        filled = time.monotonic()
        print(f"{filled - begun:.1f} s\n\n{manage(environment, 'check_ledger')}", flush=True)
        seconds = time.monotonic() - filled
        print(f"checked in {seconds:.1f} s, the start of Python among them")
    return int(seconds > MOST_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
