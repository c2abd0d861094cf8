"""Starts the server: `python -m voicechat`, with gunicorn's own flags behind it.

gunicorn reads WEB_CONCURRENCY and GUNICORN_CMD_ARGS before its configuration file, and would meet one that is none
with a trace, or a sentence that hides all others. Here the whole environment is read first.
"""

import os
import sys

from voicechat.startup import load_settings


def main() -> None:
    settings = load_settings()
    os.environ["WEB_CONCURRENCY"] = str(settings.WEB_CONCURRENCY)  # unset, where it was empty
    command = [sys.executable, "-m", "gunicorn", "voicechat.wsgi", *sys.argv[1:]]
    os.execv(sys.executable, command)  # noqa: S606  # our own interpreter: signals reach gunicorn itself


if __name__ == "__main__":
    main()
