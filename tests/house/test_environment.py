"""The configuration: typed, read once, every fault named at once."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

import voicechat.settings
from voicechat.env import Env
from voicechat.secret import development_secret

ROOT = Path(__file__).parents[2]
PRODUCTION = {
    "DB_ENV": "production",
    "SECRET_KEY": "s" * 60,
    "DATABASE_URL": "sqlite:///:memory:",
    "PUBLIC_URL": "https://api.example.com",
    "ALLOW_OPEN_ACCESS": "true",
}


def start(environment):
    """Loads the settings in a process of their own; (whether they are accepted, what was said)."""
    code = "import voicechat.settings as s; print(s.PAYMENTS, s.TELEPHONY, s.STORAGE, s.MIN_CALL_BALANCE)"
    done = subprocess.run(  # noqa: S603  # our own interpreter
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode == 0, done.stdout + done.stderr


def test_production_starts_with_what_it_needs():
    accepted, said = start(PRODUCTION)
    assert accepted, said
    assert said.startswith("{} {} {}")


def test_production_names_everything_that_is_missing_at_once():
    accepted, said = start({"DB_ENV": "production"})
    assert not accepted
    assert all(name in said for name in ("SECRET_KEY", "DATABASE_URL", "PUBLIC_URL", "ALLOW_OPEN_ACCESS"))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"PUBLIC_URL": "http://api.example.com"}, "PUBLIC_URL"),
        ({"CORS_ALLOWED_ORIGINS": "*"}, "CORS_ALLOWED_ORIGINS"),
        ({"ACCOUNT_SID": "AC1", "AUTH_TOKEN": "t"}, "SERVICE_SID"),
        ({"CLOUDINARY_API_KEY": "k"}, "CLOUDINARY_API_SECRET"),
        ({"PORT": "http"}, "PORT"),
        ({"ALLOW_OPEN_ACCESS": "yes"}, "ALLOW_OPEN_ACCESS"),
        ({"CALL_RATE": "0.00000001"}, "CALL_RATE"),
        ({"DB_ENV": "prod"}, "DB_ENV"),
        ({"DATABASE_URL": "mysql://u:p@h/n"}, "DATABASE_URL"),
        ({"DATABASE_URL": "what?"}, "DATABASE_URL"),
        ({"DATABASE_URL": "postgres://u:p@[::1/n"}, "DATABASE_URL"),
        ({"PUBLIC_URL": "https://[::1"}, "PUBLIC_URL"),
        ({"STRIPE_WEBHOOK_SECRET": "whsec_1"}, "SK_TEST"),
        ({"CALL_RATE": "1e999999999"}, "CALL_RATE"),
        ({"WEB_CONCURRENCY": "9" * 5000}, "WEB_CONCURRENCY"),
    ],
)
def test_a_fault_is_named(change, named):
    accepted, said = start({**PRODUCTION, **change})
    assert not accepted
    assert named in said


def test_stripe_alone_is_real_and_asks_for_a_balance():
    accepted, said = start({**PRODUCTION, "SK_TEST": "sk_test_1"})
    assert accepted
    assert "StripePayments" in said
    assert said.rstrip().endswith("500000")


def test_the_example_names_exactly_the_variables_that_are_read():
    written = re.findall(r"^([A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert sorted(written) == sorted(voicechat.settings.env.names)


def test_an_empty_variable_is_an_unset_one():
    assert Env({"PORT": ""}).whole("PORT", 3300) == 3300


@pytest.mark.parametrize("value", ["-1", "x", "inf", "NaN", "1e400", "0.00000001"])
def test_what_is_no_amount_is_a_fault(value):
    env = Env({"CALL_RATE": value})
    env.micros("CALL_RATE", "0.0085")
    with pytest.raises(ImproperlyConfigured, match="CALL_RATE"):
        env.done()


def test_the_development_secret_is_made_once(tmp_path):
    path = tmp_path / "secret"
    assert development_secret(path) == development_secret(path)
    assert len(path.read_text()) > 50
    assert [each.name for each in tmp_path.iterdir()] == ["secret"]
