"""What a newcomer's machine lacks is told in one sentence, with what to do and no stack. `make` says what there is."""

import os
import re
import shutil
import socket
import subprocess
import sys

import pytest

from bench.server import free_port
from tests.house.starting import ROOT
from tests.house.test_environment import SIX
from voicechat.first_start import why_not_here

MOST_SECONDS = 60
OLD = """#!/bin/sh
exec {} -c 'import sys; sys.version_info = (3, 9, 18); exec(sys.argv[1])' "$2"
"""


def run(command, folder=ROOT, **environment):
    """Its exit code and what it said, but for make's own last word."""
    done = subprocess.run(  # noqa: S603  # our own commands
        command,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "SECRET_KEY": "s" * 60, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=MOST_SECONDS,
    )
    return done.returncode, [line for line in (done.stdout + done.stderr).splitlines() if not line.startswith("make: ")]


def start(**environment):
    return run([sys.executable, "-m", "voicechat"], **{"DATABASE_URL": "sqlite:///:memory:", **environment})


def migrate(url):
    return run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], DATABASE_URL=url)


@pytest.fixture
def clone(tmp_path):
    """As much of one as make needs."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "requirements.lock").write_text("voicechat-is-nowhere==1.0 --hash=sha256:" + "0" * 64)
    return tmp_path


@pytest.fixture
def taken_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield taken.getsockname()[1]


def test_make_alone_says_what_there_is_and_does_nothing(clone):
    code, said = run(["make"], clone)
    told = [line.split()[0] for line in said[1:]]
    targets = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[1].split()
    assert code == 0
    assert sorted(told) == sorted(targets)
    assert all(len(line.split()) > 2 for line in said)
    assert not (clone / ".venv").exists()


def test_an_old_python_is_told_of(clone):
    old = clone / "python3.9"
    old.write_text(OLD.format(sys.executable))
    old.chmod(0o700)
    code, said = run(["make", "run", f"PYTHON={old}"], clone)
    assert code
    assert said[1:] == [f"{old} is Python 3.9, and 3.11 or newer is needed: name one by PYTHON=python3.12."]


def test_no_python_is_told_of(clone):
    code, said = run(["make", "run", "PYTHON=python-of-nobody"], clone)
    assert code
    assert said[1:] == ["There is no python-of-nobody: install Python 3.11 or newer, or name it by PYTHON=python3.12."]


def test_without_a_network_one_reads_what_is_missing_and_may_go_on_later(clone):
    nowhere = {"PIP_CONFIG_FILE": "/dev/null", "PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0"}
    code, said = run(["make", "run", f"PYTHON={sys.executable}"], clone, **nowhere)
    assert code
    assert said[2] == "ERROR: No matching distribution found for voicechat-is-nowhere==1.0"
    assert said[3].startswith("What it needs could not be fetched: see that there is a network")
    assert len(said) == 4
    assert not (clone / ".venv" / ".server").exists()


def test_a_venv_that_cannot_be_made_is_not_left_half_made(clone):
    broken = clone / "python3"
    broken.write_text(
        '#!/bin/sh\ntest "$1" = -c && exit 0\nmkdir -p .venv/bin; touch .venv/bin/python; echo No ensurepip; exit 1\n'
    )
    broken.chmod(0o700)
    code, said = run(["make", "run", f"PYTHON={broken}"], clone)
    assert code
    assert said[1] == "No ensurepip"
    assert said[2].startswith(".venv could not be made: install Python's venv")
    assert not (clone / ".venv").exists()


@pytest.mark.parametrize("host", ["", "127.0.0.1"])
def test_a_port_in_use_is_told_of(taken_port, host):
    code, said = start(PORT=str(taken_port), HOST=host)
    assert code == 1
    assert said == [f"Port {taken_port} is in use: end what listens there, or choose another one, such as PORT=3301."]


@pytest.mark.parametrize("flags", [["--bind", "127.0.0.1:1"], ["-b", "127.0.0.1:1"], ["-b127.0.0.1:1"]])
def test_a_port_that_is_not_listened_at_may_be_in_use(settings, taken_port, flags):
    settings.HOST, settings.PORT = "", taken_port
    settings.GUNICORN_FLAGS = []
    assert "is in use" in why_not_here(settings, ["--workers", "2"])
    assert why_not_here(settings, flags) == ""
    settings.GUNICORN_FLAGS = flags
    assert why_not_here(settings, ["--workers", "2"]) == ""


def test_an_address_of_another_machine_is_told_of():
    code, said = start(HOST="192.0.2.1")
    assert code == 1
    assert said == ["192.0.2.1:3300 is no address of this machine: correct HOST, or leave it unset for all addresses."]


def test_a_database_server_that_is_down_is_told_of_without_its_password():
    port = free_port()
    code, (said,) = migrate(f"postgres://rose:sesame@127.0.0.1:{port}/family")
    assert code == 1
    assert said.startswith(
        f"PostgreSQL does not answer at 127.0.0.1:{port}: start it, or correct DATABASE_URL, or leave"
    )
    assert "sesame" not in said


@pytest.mark.usefixtures("on_postgresql")
def test_a_database_that_is_not_there_is_told_of(settings):
    server = settings.DATABASES["default"]
    at = f"{server['HOST']}:{server['PORT'] or 5432}"
    code, said = migrate(f"postgres://{server['USER']}:{server['PASSWORD']}@{at}/no_such_family")
    assert code == 1
    assert said == [
        f"PostgreSQL at {at} has no database no_such_family: make it by `createdb --encoding=UTF8 no_such_family`."
    ]


def test_a_file_that_cannot_be_written_is_told_of():
    code, said = migrate("sqlite:////proc/nowhere/family.sqlite3")
    assert code == 1
    assert len(said) == 1
    assert said[0].startswith(
        "The SQLite file /proc/nowhere/family.sqlite3 cannot be opened and written: its folder must"
    )


def test_a_file_that_is_none_of_sqlites_is_told_of(tmp_path):
    (tmp_path / "letter.txt").write_text("Dear Rose, this is longer than the head of an SQLite file. " * 20)
    code, said = migrate(f"sqlite:///{tmp_path}/letter.txt")
    assert code == 1
    assert said == [f"{tmp_path}/letter.txt is no SQLite file: move it away, or name another one by DATABASE_URL."]


def test_a_database_without_tables_is_told_of(tmp_path):
    code, said = run([sys.executable, "manage.py", "load_demo"], DATABASE_URL=f"sqlite:///{tmp_path}/empty.sqlite3")
    assert code == 1
    assert said == ["The database is not migrated: run `manage.py migrate`."]


def test_a_folder_for_pictures_that_cannot_be_written_is_told_of(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "a file"
    settings.MEDIA_ROOT.touch()
    assert why_not_here(settings, ["--bind", "[::]:1"]).startswith(
        f"The folder {settings.MEDIA_ROOT} cannot be written"
    )
    settings.MEDIA_ROOT = tmp_path / "new"
    assert why_not_here(settings, ["--bind", "[::]:1"]) == ""
    settings.MEDIA_ROOT, settings.STORAGE = tmp_path / "a file", {}
    assert why_not_here(settings, ["--bind", "[::]:1"]) == ""


def test_a_check_warns_of_settings_that_let_calls_run_without_money():
    check = [sys.executable, "manage.py", "check"]
    for warned, numbers in ((True, {"CALL_RATE": "0", "MIN_CALL_BALANCE": "0"}), (False, {"MIN_CALL_BALANCE": "0.5"})):
        code, said = run(check, DATABASE_URL="sqlite:///:memory:", **SIX, **numbers)
        found = [name for name in ("voice.W001", "voice.W002") if any(name in line for line in said)]
        assert (code, found) == (0, ["voice.W001", "voice.W002"] if warned else [])
