"""A command that fails says where, and of what kind the failure is, but no row and no value."""

import os
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError
from django.db import DatabaseError, connection, transaction

from tests.house.test_environment import ROOT
from users.models import User
from voicechat.command_errors import tell


@pytest.fixture
def told(capsys):
    """What stderr holds of an exception that nobody catches."""

    def of(error):
        tell(type(error), error, error.__traceback__)
        return capsys.readouterr().err

    return of


def failing(function):
    try:
        with transaction.atomic():
            function()
    except Exception as error:  # whichever it is
        return error
    raise AssertionError("it did not fail")


def test_a_row_that_is_there_twice_is_not_quoted(alice, told):
    error = failing(lambda: User.objects.create(email=alice.email, display_name="Sesame"))
    said = told(error)
    assert "django.db.utils.IntegrityError" in said
    assert "test_command_errors.py" in said
    assert alice.email not in said
    assert "Sesame" not in said


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
    error = failing(lambda: connection.cursor().execute(statement))
    assert isinstance(error, DatabaseError)
    assert named in told(error)
    assert "example.com" not in told(error)


def test_what_led_to_it_is_told_without_its_words_too(told):
    def fail():
        try:
            raise KeyError("sesame")
        except KeyError as error:
            raise ValueError("sesame") from error

    said = told(failing(fail))
    assert said.index("builtins.KeyError") < said.index("which led to") < said.index("builtins.ValueError")
    assert "'sesame'" not in said.replace('raise KeyError("sesame")', "").replace('raise ValueError("sesame")', "")


@pytest.mark.parametrize("error", [CommandError("No such person."), ImproperlyConfigured("SECRET_KEY is missing")])
def test_our_own_words_are_written(told, error):
    assert str(error) in told(error)


def test_every_command_is_held_to_it():
    code = "import os; raise ValueError(os.environ['WORD'])"
    done = subprocess.run(  # noqa: S603  # our own interpreter
        [sys.executable, "manage.py", "shell", "-c", code],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "DB_ENV": "development",
            "DATABASE_URL": "sqlite:///:memory:",
            "WORD": "sesame",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "builtins.ValueError" in done.stderr
    assert "sesame" not in done.stderr + done.stdout
