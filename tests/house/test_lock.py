"""requirements*.txt are what people read, requirements*.lock what is installed: one must fit the other."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = ("requirements.txt", "requirements-dev.txt")
LOCKS = {"requirements.lock": FILES[:1], "requirements-dev.lock": FILES}


def same(name):
    """A package's name as every index compares it."""
    return re.sub("[-_.]+", "-", name).lower()


def asked(file):
    """{name: version} of a requirements file; a line that pins nothing, or not exactly, fails here."""
    lines = [line.partition("#")[0].strip() for line in (ROOT / file).read_text().splitlines()]
    pins = [line.partition("==") for line in lines if line and not line.startswith("-r ")]
    assert all(version and not re.search("[;<>~!*, ]", name + version) for name, _, version in pins), (
        f"{file} pins no exact version somewhere: use =="
    )
    return {same(name): version for name, _, version in pins}


def locked(lock):
    """{name: (version, what it is there for)} of a lock."""
    text = re.sub(r"^#.*\n", "", (ROOT / lock).read_text(), flags=re.MULTILINE)
    entries = re.findall(r"^(\S+)==(\S+)(.*\n(?:[ \t].*\n)*)", text, re.MULTILINE)
    assert entries
    return {same(name): (version, set(re.findall(r"-r (\S+)", rest))) for name, version, rest in entries}


@pytest.mark.parametrize("lock", LOCKS)
def test_the_lock_holds_what_the_requirements_ask_for_and_nothing_that_they_no_longer_do(lock):
    held = locked(lock)
    for file in LOCKS[lock]:
        from_file = {name: version for name, (version, why) in held.items() if file in why}
        wrong = sorted(dict(asked(file).items() ^ from_file.items()))
        assert not wrong, (
            f"{lock} does not fit {file} in {', '.join(wrong)}: run `make lock` and commit what it writes."
        )


def test_tests_run_on_what_the_server_runs_on():
    server, tests = locked("requirements.lock"), locked("requirements-dev.lock")
    wrong = sorted(name for name, (version, _) in server.items() if tests.get(name, "")[:1] != (version,))
    assert not wrong, f"requirements-dev.lock and requirements.lock differ in {', '.join(wrong)}: run `make lock`."


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_machine_and_no_address(lock):
    written = [
        line for line in (ROOT / lock).read_text().splitlines() if re.search(r"[:=@ ]/|://|^-|--(?!hash=)", line)
    ]
    assert not written, f"{lock} is for every machine, and holds {written[0]!r}."


@pytest.mark.parametrize("folder", ["clients/typescript", "tools/openapi"])
def test_a_lock_of_npm_has_a_hash_of_each_package_and_no_address(folder):
    asked = json.loads((ROOT / folder / "package.json").read_text())["devDependencies"]
    packages = json.loads((ROOT / folder / "package-lock.json").read_text())["packages"]
    assert packages.pop("")["devDependencies"] == asked
    assert all(version[0].isdigit() for version in asked.values()), "package.json pins exact versions."
    wrong = sorted(name for name, each in packages.items() if "resolved" in each or "integrity" not in each)
    assert not wrong, f"{folder}/package-lock.json: {', '.join(wrong)}. Its .npmrc leaves addresses out: install there."
