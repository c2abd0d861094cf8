"""The modules that hold rules: what `make mutants` takes where no FILES are named."""

from collections.abc import Iterable
from pathlib import Path

from bench.database import ROOT

APPS = ("voicechat", "core", "users", "groups", "billing", "voice", "uploads")
AT_IMPORT = "(import)"
"""In place of a test's name: what is executed before the first test."""
RULES = (
    "billing/*.py",
    "billing/admin/*.py",
    "billing/api/*.py",
    "billing/audit/*.py",
    "billing/gateway/*.py",
    "core/*.py",
    "core/jobs/*.py",
    "groups/*.py",
    "groups/api/*.py",
    "groups/invitations/*.py",
    "groups/live/*.py",
    "groups/notifications/*.py",
    "groups/notifications/mail/*.py",
    "groups/notifications/notices/*.py",
    "groups/notifications/sms/*.py",
    "uploads/*.py",
    "uploads/pictures/*.py",
    "users/*.py",
    "users/admin/*.py",
    "users/api/*.py",
    "users/operators/*.py",
    "users/sign_in/*.py",
    "users/verification/*.py",
    "voice/*.py",
    "voice/admin/*.py",
    "voice/api/*.py",
    "voice/captions/*.py",
    "voice/conferences/*.py",
    "voice/credit/*.py",
    "voice/dial_in/*.py",
    "voice/hosting/*.py",
    "voice/keypad/*.py",
    "voice/ringing/*.py",
    "voice/telephony/*.py",
    "voicechat/adoption/*.py",
    "voicechat/errors.py",
    "voicechat/export/*.py",
    "voicechat/front/*.py",
    "voicechat/handler.py",
    "voicechat/middleware.py",
    "voicechat/pagination.py",
    "voicechat/parsing.py",
    "voicechat/rendering.py",
)
WITHOUT_RULES = {"__init__.py", "apps.py", "serializers.py", "signals.py", "interface.py"}
"""Names of files that say what is, and not what may be: shapes, words and wiring."""


def file_of(test: str) -> str:
    """The file of a test, by its name."""
    return test.partition("::")[0]


def chosen(wanted: Iterable[str]) -> list[str]:
    """Paths from the root, of files, folders and patterns; all that hold rules where nothing is wanted."""
    named = list(wanted)
    found: set[Path] = set()
    for pattern in named or RULES:
        whole = f"{pattern.rstrip('/')}/**/*.py" if (ROOT / pattern).is_dir() else pattern
        files = set(ROOT.glob(whole))
        if not files:
            raise FileNotFoundError(f"There is no {pattern} here.")
        found |= {file for file in files if named or file.name not in WITHOUT_RULES}
    return sorted(str(file.relative_to(ROOT)) for file in found if "migrations" not in file.parts)
