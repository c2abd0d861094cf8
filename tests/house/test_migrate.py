"""`manage.py migrate`: one at a time, and a sentence for what the database lacks."""

import os
import subprocess
import sys
from contextlib import closing, contextmanager
from urllib.parse import quote

import psycopg2
import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from tests.house.starting import ROOT
from users.models import User, VerifiedNumber

MOST_SECONDS = 300


def migrate(url):
    return subprocess.Popen(  # our own interpreter
        [sys.executable, "manage.py", "migrate", "--noinput"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process):
    """(status, what it said of itself, what went wrong)"""
    said, wrong = process.communicate(timeout=MOST_SECONDS)
    return process.returncode, said, wrong


@contextmanager
def as_owner():
    made = connection.settings_dict
    places = {"host": made["HOST"], "port": made["PORT"], "user": made["USER"], "password": made["PASSWORD"]}
    with closing(psycopg2.connect(dbname="postgres", **{name: at for name, at in places.items() if at})) as owner:
        owner.autocommit = True
        yield owner.cursor()


@contextmanager
def another_database(how=""):
    """Its address. It is empty, and gone at the end."""
    made, name = connection.settings_dict, f"{connection.settings_dict['NAME']}_another"
    with as_owner() as owner:
        owner.execute(f'DROP DATABASE IF EXISTS "{name}"')
        owner.execute(f'CREATE DATABASE "{name}" {how}')
        known = quote(made["USER"]) + (f":{quote(made['PASSWORD'])}" if made["PASSWORD"] else "")
        try:
            yield f"postgres://{known}@{quote(made['HOST'], safe='')}:{made['PORT'] or 5432}/{name}"
        finally:
            owner.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture
def url(db, tmp_path):
    """Of an empty database, of the kind that the tests use."""
    if connection.vendor == "sqlite":
        yield f"sqlite:///{tmp_path}/db.sqlite3"
        return
    with another_database() as url:
        yield url


def test_three_at_once_on_an_empty_database_all_succeed(url):
    ends = [ended(each) for each in [migrate(url) for _ in range(3)]]
    assert [(status, wrong.strip()) for status, _, wrong in ends if status] == []
    assert sum("No migrations to apply" in said for _, said, _ in ends) == 2
    assert sum("waiting for it" in wrong for _, _, wrong in ends) >= 1


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_a_database_that_cannot_keep_every_name_is_one_sentence(db, on_postgresql, encoding):
    how = f"ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
    with another_database(how) as url:
        status, _, wrong = ended(migrate(url))
        served = subprocess.run(  # our own interpreter
            [sys.executable, "-m", "gunicorn", "voicechat.wsgi", "--bind", "127.0.0.1:0"],
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": url},
            capture_output=True,
            text=True,
            timeout=MOST_SECONDS,
            check=False,
        )
    assert (status, wrong.count("\n")) == (1, 1)
    assert f"encoded in {encoding}" in wrong
    assert served.returncode != 0
    assert f"encoded in {encoding}" in served.stderr
    assert "Traceback" not in served.stderr


def test_a_user_who_may_not_make_tables_is_told_so_in_one_sentence(db, on_postgresql):
    role = f"{connection.settings_dict['NAME']}_guest"
    with another_database() as url, as_owner() as owner:
        owner.execute(f'DROP ROLE IF EXISTS "{role}"')
        owner.execute(f"CREATE ROLE \"{role}\" LOGIN PASSWORD 'guest'")
        try:
            after = url.partition("@")[2]
            status, _, wrong = ended(migrate(f"postgres://{role}:guest@{after}"))
        finally:
            owner.execute(f'DROP ROLE "{role}"')
    assert (status, wrong.count("\n")) == (1, 1)
    assert f'GRANT USAGE, CREATE ON SCHEMA "public" TO "{role}"' in wrong


# Numbers from before they were verified


def said_at_migrate(capsys):
    call_command("migrate", verbosity=0)
    return capsys.readouterr().out


def test_it_says_how_many_numbers_name_nobody_until_the_first_is_verified(db, capsys, alice, bob):
    assert said_at_migrate(capsys) == ""
    User.objects.filter(pk__in=(alice.pk, bob.pk)).update(phone_number=12025550123)
    assert said_at_migrate(capsys).startswith("People with a phone number that nobody has verified: 2.")
    VerifiedNumber.objects.create(user=alice, number="+12025550123", verified_at=timezone.now())
    assert said_at_migrate(capsys) == ""
