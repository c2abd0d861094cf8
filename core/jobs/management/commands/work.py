"""Does jobs, and runs what comes by the clock, until it is told to end. Any number of these may run."""

import os
import signal
import sys
from argparse import ArgumentTypeError
from threading import Thread
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from core.jobs.schedule import Clock
from core.jobs.worker import Worker, do_all
from core.metrics.server import publish

GRACE = 20.0
MOST_THREADS = 64


def whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MOST_THREADS):
        raise ArgumentTypeError(f"{text!r} is no number from 1 to {MOST_THREADS}.")
    return int(text)


class Command(BaseCommand):
    help = (
        "Does jobs (announcements, hang-ups, prices, …) and runs what comes by the clock. Ends by Ctrl-C or SIGTERM: "
        "what is at work has some seconds, and the rest is another worker's."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--threads", type=whole, default=4, help="how many jobs at once (%(default)s)")
        parser.add_argument("--grace", type=float, default=GRACE, help="seconds for what is at work (%(default).0f)")
        parser.add_argument("--once", action="store_true", help="do what is due now, and end")
        parser.add_argument(
            "--with-parent", action="store_true", help="end when standard input does: whoever started this is gone"
        )

    def handle(self, *args: Any, threads: int, grace: float, **options: Any) -> None:
        if options["once"]:
            done = do_all()
            wrong = sum(not is_well for _, is_well in done)
            self.stdout.write(f"{len(done)} jobs, {wrong} of them failed")
            return
        publisher = publish()
        worker = Worker(threads=threads, on_tick=Clock())
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, lambda *_: worker.stop())
        if options["with_parent"]:
            Thread(target=self.watch_parent, args=(worker,), daemon=True).start()
        is_worn_out = worker.run(grace=grace)
        if publisher:
            publisher.end()
        if is_worn_out:
            self.begin_anew()
        os._exit(0)  # a thread that hangs must keep nothing alive

    def watch_parent(self, worker: Worker) -> None:
        while os.read(sys.stdin.fileno(), 1024):
            pass
        worker.stop()

    def begin_anew(self) -> None:
        """In the same process, as its parent knows it: threads that hang cannot be ended otherwise."""
        os.execv(sys.executable, sys.orig_argv)  # noqa: S606  # our own command line
