"""Makes what the Dockerfile makes, in a bare Debian and without an engine, and runs it as `compose.yaml` does: as
nobody in particular, on a read-only root.

    DATABASE_URL=postgres://… REDIS_URL=redis://… python -m bench.image [--base FOLDER]

It needs Linux, root (for chroot and mounts) and `debootstrap`; with --base it takes a Debian that is there already,
with Python as `python`, its venv, and all that pip needs to fetch there. `migrate`, then the server and the worker,
each in mounts of its own, as production and as development, where somebody signs up; /readyz is asked, and SIGTERM ends
both. The database is one beside DATABASE_URL's, and is dropped. Ends with 1 where anything of it fails.
https://wiki.debian.org/Debootstrap
"""

import argparse
import json
import os
import secrets
import shlex
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any

import psycopg2

from bench.database import ROOT, postgresql_beside
from bench.image.dockerfile import Stage, build, fetching, pairs
from bench.server import free_port

MIGRATE = ["python", "manage.py", "migrate", "--noinput", "--verbosity", "0"]
PACKAGES = "ca-certificates,python3,python3-venv,python-is-python3"
MIRROR = "http://deb.debian.org/debian"
START_SECONDS, STOP_SECONDS = 60.0, 35.0
"""The second is compose.yaml's `stop_grace_period`."""
READ_ONLY = """mount --bind {root} {root} && mount -o remount,bind,ro {root} && mount -t proc none {root}/proc &&
mount -t tmpfs none {root}/tmp && mount -t tmpfs none {root}/dev/shm && mount -t tmpfs none {root}{media} &&
exec chroot --userspec={user} {root} {command}"""
MEDIA = "/media"
"""Below the project: there the sandbox of the image service keeps pictures, which production never does."""
PRODUCTION = {
    "DB_ENV": "production",
    "PUBLIC_URL": "https://api.example.com",
    "OIDC_ISSUER": "https://sign-in.example.com",
    "OIDC_AUDIENCE": "clients",
    "TRUSTED_PROXIES": "127.0.0.1",
}
PROXY = {"X-Forwarded-Proto": "https"}
"""As nginx says it: in production pages of the admin are not served otherwise."""
WHO = "! touch here manage.py /etc/x 2> /dev/null && test $(id -u):$(id -g) = 10001:10001"


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # unwinds: what was started is ended, the database dropped
    parser = argparse.ArgumentParser(prog="python -m bench.image", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--base", type=Path, help="the folder of a Debian with Python; else one is fetched")
    given = parser.parse_args()
    with TemporaryDirectory(prefix="image") as folder, postgresql_beside(os.environ["DATABASE_URL"], "_image") as url:
        base = given.base or debian(Path(folder) / "base")
        text = (ROOT / "Dockerfile").read_text()
        image = build(text, base, Path(folder), fetching())
        devices(image.root)
        image.place(image.folder + MEDIA).mkdir()
        size = sum(each.stat().st_size for each in image.place(".").rglob("*") if each.is_file())
        print(f"\nThe project's files: {size / 1e6:.1f} MB.", flush=True)
        environment = settings(url)
        check(finished(image, MIGRATE, environment), "migrate")
        check(finished(image, ["sh", "-c", WHO], environment), "it is nobody in particular, and can write nothing")
        deployed = {**environment, **PRODUCTION}
        warned = ["python", "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
        check(finished(image, warned, deployed), "the deployment checks")
        for told, look in ((deployed, turned_away), (environment, signed_up)):
            tried(image, told, look)
    return 0


def debian(folder: Path) -> Path:
    subprocess.run(
        ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", str(folder), MIRROR], check=True
    )
    return folder


def devices(root: Path) -> None:
    """Where this machine's mounts are to go, and the devices that any container has."""
    for name, numbers in {"null": "1 3", "zero": "1 5", "random": "1 8", "urandom": "1 9"}.items():
        if not (root / "dev" / name).exists():
            subprocess.run(["mknod", "-m", "666", str(root / "dev" / name), "c", *numbers.split()], check=True)
    (root / "dev/shm").mkdir(exist_ok=True)
    for name in ("hosts", "resolv.conf"):  # as an engine writes them
        (root / "etc" / name).write_text((Path("/etc") / name).read_text())


def settings(url: str) -> dict[str, str]:
    """In which every vendor is a sandbox."""
    return {
        "DB_ENV": "development",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "DATABASE_URL": url,
        "REDIS_URL": os.environ.get("REDIS_URL", ""),
        "HOST": "127.0.0.1",
        "PORT": str(free_port()),
    }


def started(image: Stage, command: list[str], environment: dict[str, str], **more: Any) -> subprocess.Popen[bytes]:
    inside = ["env", "-i", *pairs({**image.environment, **environment}), "sh", "-c"]
    words = shlex.join([*inside, f"cd {image.folder} && exec {shlex.join(command)}"])
    media = image.folder + MEDIA
    script = READ_ONLY.format(root=shlex.quote(str(image.root)), user=image.user, command=words, media=media)
    return subprocess.Popen(["unshare", "--mount", "sh", "-c", script], **more)


def finished(image: Stage, command: list[str], environment: dict[str, str]) -> bool:
    return started(image, command, environment).wait() == 0


def tried(image: Stage, environment: dict[str, str], look: Callable[[str], None]) -> None:
    print(f"\nAs {environment['DB_ENV']}:", flush=True)
    begun = datetime.now(UTC)
    with TemporaryFile() as log:
        web = started(image, image.command, environment, stdout=log, stderr=log)
        worker = started(image, ["python", "manage.py", "work"], environment, stdout=log, stderr=log)
        try:
            url = f"http://127.0.0.1:{environment['PORT']}"
            check(comes(lambda: answers(f"{url}/healthz"), web), "the server answers")
            check(comes(lambda: is_seen(environment["DATABASE_URL"], begun), worker), "the worker works")
            check(finished(image, image.health, environment), "the image's health check")
            look(url)
        finally:
            ended = [stopped("server", web), stopped("worker", worker)]
            print(said(log).decode(errors="replace")[-3000:] if not all(ended) else "", end="")
    check(all(ended), "SIGTERM ends both")


def is_seen(url: str, begun: datetime) -> bool:
    """A worker says in the database that it is there."""
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM workers WHERE started_at >= %s", [begun])
        return bool(cursor.fetchone()[0])


def said(log: Any) -> bytes:
    return os.pread(log.fileno(), 1_000_000, 0)


def comes(is_so: Callable[[], bool], process: subprocess.Popen[bytes]) -> bool:
    """Whether it becomes so, while the process lives."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        if is_so():
            return True
        time.sleep(0.2)
    return False


def answers(url: str) -> bool:
    try:
        return bool(urllib.request.urlopen(urllib.request.Request(url, headers=PROXY), timeout=5).status == 200)
    except OSError:
        return False


def turned_away(url: str) -> None:
    """Nobody signs up in production without a token: that the answer is a problem shows that all of it is there."""
    try:
        ask(f"{url}/api/users", {"email": "rose@example.com", "displayName": "Rose"})
    except urllib.error.HTTPError as error:
        told = json.load(error)
        check((error.code, told["status"]) == (401, 401), f"who has no token is turned away: {told['code']}")
    ready(url)


def signed_up(url: str) -> None:
    person = ask(f"{url}/api/users", {"email": "rose@example.com", "displayName": "Rose"})
    shown = ask(f"{url}/api/users/{person['id']}")
    check(shown["displayName"] == "Rose", f"somebody signs up, and is there: {shown['displayName']}")
    ready(url)


def ready(url: str) -> None:
    told = ask(f"{url}/readyz")
    check(told["status"] == "ok", f"/readyz: {json.dumps(told)[:200]}")
    check(answers(f"{url}/static/users/story.css"), "the admin's files are served")


def ask(url: str, body: Any = None) -> Any:
    sent = json.dumps(body).encode() if body else None
    request = urllib.request.Request(url, sent, {"Content-Type": "application/json", **PROXY})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def stopped(name: str, process: subprocess.Popen[bytes]) -> bool:
    """Whether SIGTERM ended it in time, and as something that was done."""
    begun = time.monotonic()
    process.terminate()
    try:
        code = process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        code = process.wait()
    print(f"the {name} ended with {code} after {time.monotonic() - begun:.1f} s", flush=True)
    return code == 0


def check(is_so: bool, words: str) -> None:  # noqa: FBT001  # a sentence and whether it is so
    print(f"{'yes' if is_so else 'NO'}: {words}", flush=True)
    if not is_so:
        sys.exit(1)


if __name__ == "__main__":
    sys.exit(main())
