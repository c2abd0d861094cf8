"""Which test files come first for the modules that are named: what a change needs is not the whole suite's lines."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from bench.database import ROOT
from bench.mutants.modules import APPS

OF_PICTURES = ("tests/hostile/test_images.py", "tests/hostile/test_image_bombs.py")
ELSEWHERE = {
    "billing/admin": ("tests/admin",),
    "core": ("tests/wire", "tests/admin/test_sessions.py"),
    "core/jobs": ("tests/jobs",),
    "groups": ("tests/access", "tests/admin", "tests/users/api", "tests/users/deletion"),
    "groups/api": ("tests/access", "tests/wire"),
    "groups/live": ("tests/live",),
    "uploads": OF_PICTURES,
    "uploads/pictures": OF_PICTURES,
    "users": ("tests/wire/test_idempotency.py",),
    "users/admin": ("tests/admin",),
    "users/api": ("tests/access", "tests/wire"),
    "users/operators": ("tests/admin",),
    "voice/admin": ("tests/admin",),
    "voice/api": ("tests/hostile/test_webhooks.py",),
    "voice/conferences": ("tests/voice/keypad", "tests/voice/hosting"),
    "voice/credit": ("tests/voice/hosting",),
    "voicechat": ("tests/wire", "tests/house"),
    "voicechat/adoption": ("tests/adoption",),
    "voicechat/export": ("tests/export",),
    "voicechat/front": ("tests/front", "tests/live"),
}
"""Where the tests of a folder are, files too, if they are not in the folder of its name (or not only there)."""


def rounds(paths: Iterable[str], files: Iterable[str]) -> list[set[str]]:
    """The nearest of all test files; with them those of the modules' apps and of who imports the modules; and all."""
    wanted, every = list(paths), set(files)
    near = {file for path in wanted for file in nearest(path, every)}
    apps = tuple(f"tests/{path.partition('/')[0]}/" for path in wanted)
    wider = near | {file for file in every if file.startswith(apps)}
    wider |= {file for path in importers(wanted) for file in nearest(path, every)}
    found: list[set[str]] = []
    for each in (near, wider, every):
        if each and each not in found:
            found.append(each)
    return found


def nearest(path: str, files: set[str]) -> set[str]:
    """Of the deepest folder that is named as the module or its folder, and of those that are known to be about it."""
    module = Path(path).with_suffix("")
    places = (f"tests/{place}/" for place in (module, *module.parents[:-1]))
    found = next((place for place in places if any(file.startswith(place) for file in files)), "-")
    beside = (
        found,
        *(place if place.endswith(".py") else f"{place}/" for place in ELSEWHERE.get(str(module.parent), ())),
    )
    return {file for file in files if file.startswith(beside)}


def importers(paths: Iterable[str]) -> set[str]:
    """The modules with a `from … import` of these."""
    lines = []
    for path in paths:
        *package, name = Path(path).with_suffix("").parts
        room = re.escape(".".join(package))
        lines.append(rf"^from {room}\.{name} import |^from {room} import [^\n]*\b{name}\b")
    wanted = re.compile("|".join(lines), re.MULTILINE)
    texts = ((file, (ROOT / file).read_text()) for app in APPS for file in modules_of(app))
    return {file for file, text in texts if wanted.search(text)}


def modules_of(app: str) -> Iterator[str]:
    found = (str(file.relative_to(ROOT)) for file in sorted((ROOT / app).rglob("*.py")))
    return (file for file in found if "/migrations/" not in file)
