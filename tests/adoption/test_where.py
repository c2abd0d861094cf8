"""Which databases are taken over, and what is said of the others."""

import subprocess
import sys

import pytest

from tests.adoption.first import ROOT, adopt, adopted, environment, manage

SENTENCE = "This database was made by the first back end"


def serve(url):
    return subprocess.run(
        [sys.executable, "-m", "gunicorn", "voicechat.wsgi", "--bind", "127.0.0.1:0"],
        cwd=ROOT,
        env=environment(url),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_migrate_says_in_a_sentence_what_to_do_and_changes_nothing(old):
    before = old.dump()
    status, said, wrong = manage(old.url, "migrate", "--noinput")
    assert (status, said, wrong.count("\n")) == (1, "", 1)
    assert SENTENCE in wrong
    assert "manage.py adopt_database" in wrong
    assert old.dump() == before


def test_the_server_does_not_start_on_it_and_says_the_same(old):
    served = serve(old.url)
    assert served.returncode != 0
    assert SENTENCE in served.stderr
    assert "Traceback" not in served.stderr


@pytest.mark.parametrize("point", ["adoption_begun", "adopted_part", "adoption_copied"])
def test_what_is_half_taken_over_is_neither_migrated_nor_served(old, point):
    assert adopt(old.url, FAILPOINT=point)[0] == -9
    status, _, wrong = manage(old.url, "migrate", "--noinput")
    served = serve(old.url)
    assert (status, wrong.count("\n")) == (1, 1)
    assert "is not finished: run `python manage.py adopt_database` again" in wrong
    assert served.returncode != 0
    assert "is not finished" in served.stderr
    adopted(old.url)
    assert manage(old.url, "migrate", "--noinput")[0] == 0


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


def test_a_second_time_nothing_is_done(old):
    adopted(old.url)
    before = old.dump()
    assert "is taken over" in adopted(old.url)
    assert old.dump() == before


def test_the_old_tables_are_dropped_when_they_are_no_longer_wanted(old):
    assert adopt(old.url, "--drop-old-tables")[0] == 1
    adopted(old.url)
    assert any(name.startswith("first_") for name in old.dump())
    assert "Dropped first_" in adopted(old.url, "--drop-old-tables")
    assert not any(name.startswith("first_") for name in old.dump())
    assert "none any more" in adopted(old.url, "--drop-old-tables")
    assert "is taken over" in adopted(old.url)
