"""Does the code of before go on working while the database has the new schema, as in every release without a pause?

    python -m bench.upgrade [--before COMMIT]

Migrates a new database by the code of COMMIT (the newest tag, else the commit of a week ago) and has it play its main
job there (`manage.py demo`), as a release that has been at work. Then this code migrates, the old code plays its job on
the new schema, this code does, and `check_ledger` looks at all that came of it. Exits with 1 where anything fails.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.database import ROOT, empty_database, manage
from bench.server import gunicorn

FLAGS = ["--workers", "1", "--max-requests", "0"]


def git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, check=False, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""


def newest_release() -> str:
    return git("describe", "--tags", "--abbrev=0") or git("rev-list", "-1", "--before=1 week ago", "HEAD") or "HEAD~1"


@contextmanager
def code_of(commit: str) -> Iterator[Path]:
    """A checkout beside, with the libraries of this one."""
    with tempfile.TemporaryDirectory(prefix="upgrade") as folder:
        path = Path(folder) / "before"
        subprocess.run(["git", "worktree", "add", "--quiet", "--detach", path, commit], cwd=ROOT, check=True)
        try:
            yield path
        finally:
            git("worktree", "remove", "--force", str(path))


def demo(environment: dict[str, str], root: Path, name: str) -> None:
    with gunicorn("voicechat.wsgi", FLAGS, environment, "/readyz", root) as server:
        manage(environment, "demo", "--url", f"http://127.0.0.1:{server.port}", root=root)
    print(f"{name}: its main job was played")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", default=newest_release(), metavar="COMMIT")
    before = parser.parse_args().before
    with ExitStack() as stack:
        old, url = stack.enter_context(code_of(before)), stack.enter_context(empty_database("_upgrade"))
        environment = {**os.environ, "DATABASE_URL": url, "DB_ENV": "development"}
        try:
            manage(environment, "migrate", "--noinput", "--verbosity", "0", root=old)
            demo(environment, old, f"{before[:12]} on its own schema")
            manage(environment, "migrate", "--noinput", "--verbosity", "0")
            demo(environment, old, f"{before[:12]} on the new schema")
            demo(environment, ROOT, "This code on the new schema")
            manage(environment, "check_ledger")
            print("check_ledger: sound")
        except (subprocess.CalledProcessError, RuntimeError) as error:
            print(f"This release needs a pause: {type(error).__name__}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
