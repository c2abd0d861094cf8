"""Which databases are taken over, and what is said of the others."""

import os
import signal
import subprocess
import sys

import pytest

from tests.adoption.first import ROOT, adopt, adopted, manage

SENTENCE = "This database was made by the first back end"


STARTING = "from voicechat.startup import refuse_unfit_database as refuse; refuse()"
"""What gunicorn does before it serves."""


def start(url):
    return manage(url, "shell", "--no-imports", "-c", STARTING)


def work(url):
    return manage(url, "work", "--once")


def test_migrate_says_in_a_sentence_what_to_do_and_changes_nothing(old):
    before = old.dump()
    status, said, wrong = manage(old.url, "migrate", "--noinput")
    assert (status, said, wrong.count("\n")) == (1, "", 1)
    assert SENTENCE in wrong
    assert "manage.py adopt_database" in wrong
    assert old.dump() == before


def test_no_worker_begins_on_it_and_says_the_same(old):
    for options in ([], ["--once"]):
        status, _, wrong = manage(old.url, "work", *options)
        assert (status, wrong.count("\n")) == (1, 1)
        assert SENTENCE in wrong


def test_the_server_does_not_start_on_it_and_says_the_same(old):
    served = subprocess.run(
        [sys.executable, "-m", "gunicorn", "voicechat.wsgi", "--bind", "127.0.0.1:0"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": old.url, "DB_ENV": "testing"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert served.returncode != 0
    assert SENTENCE in served.stderr
    assert "Traceback" not in served.stderr
    assert start(old.url)[0] == 1


def test_what_is_half_taken_over_is_neither_migrated_nor_served_nor_worked_on(old):
    for point in ("adoption_begun", "adopted_part", "adoption_copied"):
        assert adopt(old.url, FAILPOINT=point)[0] == -signal.SIGKILL
        assert adopt(old.url, "--drop-old-tables")[0] == 1
        for status, _, wrong in (manage(old.url, "migrate", "--noinput"), start(old.url), work(old.url)):
            assert (status, wrong.count("\n")) == (1, 1)
            assert "is not finished: run `python manage.py adopt_database` again" in wrong
    adopted(old.url)
    assert manage(old.url, "migrate", "--noinput")[0] == start(old.url)[0] == work(old.url)[0] == 0


@pytest.mark.parametrize("migrated", [True, False])
def test_another_database_is_refused_and_stays_as_it_is(url, migrated):
    if migrated:
        assert manage(url, "migrate", "--noinput", "--verbosity", "0")[0] == 0
    for options in ([], ["--dry-run"]):
        status, _, wrong = adopt(url, *options)
        assert (status, wrong.count("\n")) == (1, 1)
        assert "names no database of the first back end" in wrong


def test_one_that_migrate_of_an_earlier_release_broke_off_in_is_taken_over_too(old):
    """It had made Django's own tables before it met `users`."""
    status, _, wrong = manage(
        old.url,
        "shell",
        "--no-imports",
        "-c",
        "from django.core.management import call_command as c; from django.core.management.commands.migrate import "
        "Command; c(Command(), app_label='contenttypes', verbosity=0)",
    )
    assert status == 0, wrong
    assert SENTENCE in manage(old.url, "migrate", "--noinput")[2]
    assert "The ledger is sound" in adopted(old.url)
