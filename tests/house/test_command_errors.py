"""A command that fails says where, and of what kind the failure is, but no row and no value."""

import os
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError
from django.db import DatabaseError, connection, transaction

from tests.house.starting import ROOT
from users.models import User
from voicechat.command_errors import tell

WORD = "".join(("ses", "ame"))  # the lines of the code are written, and it stands in none of them


@pytest.fixture
def told(capsys):
    """What stderr holds of an exception that nobody catches."""

    def of(error):
        tell(type(error), error, error.__traceback__)
        return capsys.readouterr().err

    return of


def refused(write):
    """The database's refusal."""
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        write()
    return caught.value


def test_a_row_that_is_there_twice_is_not_quoted(alice, told):
    said = told(refused(lambda: User.objects.create(email=alice.email, display_name=WORD)))
    assert "django.db.utils.IntegrityError" in said
    assert "test_command_errors.py" in said
    assert alice.email not in said
    assert WORD not in said


@pytest.mark.usefixtures("on_postgresql")
@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("INSERT INTO users (email, \"displayName\") VALUES ('alice@example.com', 'x')", "sqlstate 23505"),
        ("INSERT INTO users (email) VALUES ('sesame@example.com')", "column_name displayName"),
        ("SELECT 'sesame@example.com'::int", "sqlstate 22P02"),
    ],
)
def test_postgresql_is_told_by_its_names_alone(alice, told, statement, named):
    said = told(refused(lambda: connection.cursor().execute(statement)))
    assert named in said
    assert "@" not in said


def test_what_led_to_it_is_told_without_its_words_too(told):
    def fail():
        try:
            raise KeyError(WORD)
        except KeyError as error:
            raise ValueError(WORD) from error

    with pytest.raises(ValueError, match=WORD) as caught:
        fail()
    said = told(caught.value)
    assert said.index("builtins.KeyError") < said.index("which led to") < said.index("builtins.ValueError")
    assert WORD not in said


@pytest.mark.parametrize("error", [CommandError("No such person."), ImproperlyConfigured("SECRET_KEY is missing")])
def test_our_own_words_are_written(told, error):
    assert str(error) in told(error)


def test_every_command_is_held_to_it():
    code = "import os; raise ValueError(os.environ['WORD'])"
    environment = {"DB_ENV": "development", "DATABASE_URL": "sqlite:///:memory:", "WORD": WORD}
    done = subprocess.run(  # noqa: S603  # our own interpreter
        [sys.executable, "manage.py", "shell", "-c", code],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "builtins.ValueError" in done.stderr
    assert WORD not in done.stderr + done.stdout
