"""The product under gunicorn, with Twilio played in this process; and the workers of it that can be killed."""

import os
import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.server import Server, gunicorn
from bench.storm.posts import PUBLIC_URL
from bench.storm.story import COMPLETED, Story
from tests.doubles.twilio import ACCOUNT, CREDENTIALS, NOTIFY_CREDENTIALS, TwilioDouble


def environment(database: str, twilio: str) -> dict[str, str]:
    """All of Twilio's variables and no other vendor's; no proxy of the shell's; nothing from `.env`."""
    others = ("SK_TEST", "STRIPE_WEBHOOK_SECRET", "CLOUDINARY_API_KEY", "CLOUDINARY_API_NAME", "CLOUDINARY_API_SECRET")
    return {
        **{name: value for name, value in os.environ.items() if name != "MIN_CALL_BALANCE"},
        **{name.upper(): value for name, value in {**CREDENTIALS, **NOTIFY_CREDENTIALS}.items()},
        **dict.fromkeys(others, ""),
        "TWILIO_API_BASE": twilio,
        "PUBLIC_URL": PUBLIC_URL,
        "DATABASE_URL": database,
        "DB_ENV": "testing",
        "SECRET_KEY": "only for the storm, and long enough that no check complains about it 0123456789",
        "no_proxy": "127.0.0.1",
    }


@contextmanager
def serve(workers: int, variables: dict[str, str]) -> Iterator[Server]:
    """With the product's own `gunicorn.conf.py`: workers are also replaced after so many requests."""
    with gunicorn("voicechat.wsgi", ["--workers", str(workers)], variables, probe="/healthz") as server:
        yield server


class Killer:
    """Kills workers of one server, at random."""

    def __init__(self, server: Server, seed: int) -> None:
        self.server, self.chance, self.kills = server, random.Random(f"kills {seed}"), 0

    def kill(self) -> None:
        workers = children(self.server.process.pid)
        with suppress(ProcessLookupError, IndexError):  # it has just ended by itself; none has started again yet
            os.kill(self.chance.choice(workers), signal.SIGKILL)
            self.kills += 1


def children(pid: int) -> list[int]:
    """The processes that this one has started, by Linux's /proc."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # ended since it was listed
            _, _, rest = stat.read_text().rpartition(")")
            if int(rest.split()[1]) == pid:
                found.append(int(stat.parent.name))
    return sorted(found)


def tell_the_truth(double: TwilioDouble, story: Story) -> None:
    """Twilio knows how every conference and call stands in the end, whatever it told."""
    for conference in story.conferences:
        status = "completed" if conference.ended else "in-progress"
        about = {"sid": conference.sid, "account_sid": ACCOUNT, "friendly_name": str(conference.group)}
        double.conferences[conference.sid] = {**about, "status": status}
        double.people[conference.sid] = [leg.sid for leg in conference.legs if leg.left is None]
        for leg in conference.legs:
            call = {"sid": leg.sid, "account_sid": ACCOUNT, "price": None, "status": "in-progress", "duration": None}
            over = {"status": COMPLETED, "duration": str(leg.duration)}
            double.calls[leg.sid] = call if leg.left is None else {**call, **over}
