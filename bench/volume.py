"""How long the operators' pages, the long reads and the books' check take on what years bring (`bench/fill_volume.py`).

    python -m bench.volume [--keep] [--only groups/activity]

On a temporary SQLite file, or on a database beside the PostgreSQL of DATABASE_URL. With `--keep` it is DATABASE_URL's
own, which is filled where it is empty and stays: the next run has it at once. Exits with 1 where a page takes over two
seconds of the processor's, or the check over a minute. `python -m bench.prune` measures what is forgotten each day.
"""

import argparse
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bench.database import empty_database, manage, stream

MOST_SECONDS, MOST_OF_A_PAGE = 60.0, 2.0


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # unwinds: the database is dropped
    parser = argparse.ArgumentParser(prog="python -m bench.volume", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--keep", action="store_true", help="use DATABASE_URL itself, and leave it filled")
    parser.add_argument("--only", default="", help="a part of the pages' addresses; without the books' check")
    asked = parser.parse_args()
    with database(keep=asked.keep) as url:
        environment = {**os.environ, "DATABASE_URL": url, "DB_ENV": "development"}
        manage(environment, "migrate", "--noinput", "--verbosity", "0")
        begun = time.monotonic()
        print(manage(environment, "shell", "--no-imports", "-c", "from bench.fill_volume import fill; fill()"), end="")
        print(f"filled in {time.monotonic() - begun:.1f} s\n", flush=True)
        seconds = 0.0 if asked.only else check(environment)
        slowest = max(visit(environment, asked.only), default=0.0)
    print(f"\nthe slowest page: {slowest:.2f} s")
    return int(seconds > MOST_SECONDS or slowest > MOST_OF_A_PAGE)


@contextmanager
def database(*, keep: bool) -> Iterator[str]:
    if keep:
        yield os.environ["DATABASE_URL"]
    else:
        with empty_database("_volume") as url:
            yield url


def check(environment: dict[str, str]) -> float:
    begun = time.monotonic()
    for line in stream(environment, "check_ledger"):
        print(line)
    seconds = time.monotonic() - begun
    print(f"checked in {seconds:.1f} s, the start of Python among them\n", flush=True)
    return seconds


def visit(environment: dict[str, str], only: str) -> Iterator[float]:
    """Prints each page's line as it comes, and gives the processor's seconds."""
    for line in stream(environment, "shell", "--no-imports", "-c", f"from bench.visits import visit; visit({only!r})"):
        print(line, flush=True)
        yield float(line.split(" s ")[0].split()[-1])


if __name__ == "__main__":
    sys.exit(main())
