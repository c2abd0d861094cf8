"""What would meet whoever starts the server on a machine for the first time: one sentence with what to do.

Before gunicorn, and before Django is set up.
"""

from itertools import chain
from pathlib import Path
from tempfile import TemporaryFile
from time import sleep
from typing import Any

from voicechat.listening import why_not
from voicechat.vendor_modes import mode

BIND = ("-b", "--bind")
"""gunicorn's flags: then PORT and HOST are not where it listens."""
TRIES = 5
"""In production, a second apart: the server of before may just be ending."""
NO_FILE = "The folder {} cannot be written, where pictures are kept: give it to yourself, and make room on its disk."


def why_not_here(settings: Any, flags: list[str]) -> str:
    """Nothing, where nothing stands in the way."""
    if not any(flag.startswith(BIND) for flag in chain(flags, settings.GUNICORN_FLAGS)):
        why = why_not(settings.HOST, settings.PORT)
        for _ in range(TRIES - 1 if settings.PRODUCTION and why else 0):
            sleep(1)
            why = why_not(settings.HOST, settings.PORT)
        if why:
            return why
    return why_no_file(settings.MEDIA_ROOT) if mode(settings.STORAGE) == "sandbox" else ""


def why_no_file(folder: Path) -> str:
    """Makes the folder, as the first picture would."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with TemporaryFile(dir=folder) as trial:
            trial.write(b"x")
    except OSError:
        return NO_FILE.format(folder)
    return ""
