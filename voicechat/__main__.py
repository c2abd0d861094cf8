"""Starts the server: `python -m voicechat`, with gunicorn's own flags behind it; `--with-worker`, and a worker beside.

gunicorn reads WEB_CONCURRENCY and GUNICORN_CMD_ARGS before its configuration file, and would meet one that is none
with a trace, or a sentence that hides all others. Here the whole environment is read first.
"""

import os
import sys

from voicechat import beside
from voicechat.first_start import why_not_here
from voicechat.startup import load_settings

WITH_WORKER = "--with-worker"


def main() -> None:
    settings = load_settings()
    os.environ["WEB_CONCURRENCY"] = str(settings.WEB_CONCURRENCY)  # unset, where it was empty
    flags = [flag for flag in sys.argv[1:] if flag != WITH_WORKER]
    if why := why_not_here(settings, flags):
        sys.exit(why)
    if WITH_WORKER in sys.argv:
        beside.start()
    command = [sys.executable, "-m", "gunicorn", "voicechat.wsgi", *flags]
    os.execv(sys.executable, command)  # noqa: S606  # our own interpreter: signals reach gunicorn itself


if __name__ == "__main__":
    main()
