"""Which test files come first for the modules that are named: what a change needs is not the whole suite's lines."""

from collections.abc import Iterable
from pathlib import Path

ELSEWHERE = {
    "core/jobs": ("tests/jobs",),
    "groups/api": ("tests/access",),
    "groups/live": ("tests/live",),
    "users/api": ("tests/access",),
    "voicechat": ("tests/wire", "tests/house"),
    "voicechat/front": ("tests/front", "tests/live"),
}
"""Where the tests of a folder are, if they are not in the folder of its name (or not only there)."""


def rounds(paths: Iterable[str], files: Iterable[str]) -> list[set[str]]:
    """The nearest of all test files, those of the modules' apps with them, and all: each set holds the one before."""
    wanted, every = list(paths), set(files)
    near = {file for path in wanted for file in nearest(path, every)}
    apps = {f"tests/{path.partition('/')[0]}/" for path in wanted}
    of_apps = near | {file for file in every if file.startswith(tuple(apps))}
    found: list[set[str]] = []
    for each in (near, of_apps, every):
        if each and each not in found:
            found.append(each)
    return found


def nearest(path: str, files: set[str]) -> set[str]:
    """Of the deepest folder that is named as the module or its folder, and of those that are known to be about it."""
    module = Path(path).with_suffix("")
    places = (f"tests/{place}/" for place in (module, *module.parents[:-1]))
    found = next((place for place in places if any(file.startswith(place) for file in files)), "-")
    elsewhere = (f"{folder}/" for folder in ELSEWHERE.get(str(module.parent), ()))
    return {file for file in files if file.startswith((found, *elsewhere))}
