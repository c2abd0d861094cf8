"""How long the books' check and the operators' lists take on what years bring (`bench/fill_volume.py`).

    python -m bench.volume

On a temporary SQLite file, or on a database beside the PostgreSQL of DATABASE_URL. Exits with 1 where a list takes over
two seconds, or the check over a minute.
"""

import os
import signal
import sys
import time

from bench.database import empty_database, manage

MOST_SECONDS, MOST_OF_A_LIST = 60.0, 2.0


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # unwinds: the database is dropped
    with empty_database("_volume") as url:
        environment = {**os.environ, "DATABASE_URL": url, "DB_ENV": "development"}
        manage(environment, "migrate", "--noinput", "--verbosity", "0")
        begun = time.monotonic()
        manage(environment, "shell", "--no-imports", "-c", "from bench.fill_volume import fill; fill()")
        filled = time.monotonic()
        print(f"filled in {filled - begun:.1f} s\n\n{manage(environment, 'check_ledger')}", flush=True)
        seconds = time.monotonic() - filled
        print(f"checked in {seconds:.1f} s, the start of Python among them\n", flush=True)
        lists = manage(environment, "shell", "--no-imports", "-c", "from bench.visits import visit; visit()")
        print(lists)
    slowest = max(float(line.split()[-3]) for line in lists.splitlines() if line.endswith("200"))
    return int(seconds > MOST_SECONDS or slowest > MOST_OF_A_LIST)


if __name__ == "__main__":
    sys.exit(main())
