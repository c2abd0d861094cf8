"""Does the code of before go on working while the database has the new schema, as in every release without a pause?

    python -m bench.upgrade [--before COMMIT]

A new database has the schema of COMMIT (the newest tag), whose code plays its main job there (`manage.py demo`), as a
release that has been at work, and then this code migrates it. Until there is a tag, migrations are written anew in
place, and this code makes the database (COMMIT is then the commit of a week ago). Then the old code plays its job on
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


def newest_tag() -> str:
    return git("tag", "--sort=-creatordate", "--merged").partition("\n")[0]


def commit_before() -> str:
    return newest_tag() or git("rev-list", "-1", "--before=1 week ago", "HEAD") or "HEAD~1"


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
    print(f"{name}: its main job was played", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", default=commit_before(), metavar="COMMIT")
    before = parser.parse_args().before
    with ExitStack() as stack:
        old, url = stack.enter_context(code_of(before)), stack.enter_context(empty_database("_upgrade"))
        environment = {**os.environ, "DATABASE_URL": url, "DB_ENV": "development"}
        try:
            if newest_tag():
                manage(environment, "migrate", "--noinput", "--verbosity", "0", root=old)
                demo(environment, old, f"{before[:12]} on its own schema")
            manage(environment, "migrate", "--noinput", "--verbosity", "0")
            demo(environment, old, f"{before[:12]} on the new schema")
            demo(environment, ROOT, "This code on the new schema")
            manage(environment, "check_ledger")
            print("check_ledger: sound")
        except (subprocess.CalledProcessError, RuntimeError) as error:
            print(f"This release needs a pause: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
