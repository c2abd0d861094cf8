"""What Sentry gets, over the wire, of an error that is surrounded by secrets."""

import logging

import pytest
import sentry_sdk
from rest_framework.test import APIClient

from tests.doubles.sentry import SentryDouble
from tests.house.canary import Canary
from tests.house.starting import start
from tests.house.test_environment import PRODUCTION
from users.api.views import UserViewSet
from voicechat import sentry

pytestmark = pytest.mark.django_db
DSN = "https://0123abcd@o1.ingest.sentry.io/42"


@pytest.fixture
def canary():
    return Canary()


@pytest.fixture
def double(_loopback):
    with SentryDouble() as double:
        yield double


@pytest.fixture
def told(double, settings):
    """What has come there, by the library as it is set up in production."""
    settings.SENTRY_DSN = double.dsn
    handler = sentry.ToSentry()
    logging.getLogger().addHandler(handler)

    def told():
        sentry_sdk.flush(10)
        return double

    yield told
    logging.getLogger().removeHandler(handler)
    sentry_sdk.flush(10)
    sentry_sdk.init(default_integrations=False)


def fail_with(canary, monkeypatch):
    def fail(view):
        local = canary.value("email")
        try:
            raise ValueError(canary.word("cause"))
        except ValueError as error:
            raise RuntimeError(local, canary.phone) from error

    monkeypatch.setattr(UserViewSet, "get_queryset", fail)


def test_an_error_comes_with_its_kind_and_place_and_nothing_of_the_request(told, canary, monkeypatch):
    fail_with(canary, monkeypatch)
    logging.getLogger("voicechat").warning("said before: %s", canary.word("breadcrumb"))
    client = APIClient(raise_request_exception=False)
    client.generic("GET", f"/api/users?{canary.query()}", canary.word("body").encode(), headers=canary.headers())
    (event,) = told().events
    (envelope,) = told().envelopes
    assert not canary.found_in(envelope)
    assert event.keys() <= {*sentry.KEPT, "sdk", "type"}
    first, last = event["exception"]["values"]
    assert (first["type"], last["type"]) == ("ValueError", "RuntimeError")
    assert last["stacktrace"]["frames"][-1]["function"] == "fail"
    assert all(each.keys() == {"filename", "function", "lineno", "in_app"} for each in last["stacktrace"]["frames"])
    assert event["logentry"]["formatted"] == "A request failed"


def test_what_other_libraries_log_is_told_without_what_they_quote(told, canary):
    logging.getLogger("vendor.sdk").error("Failed for %s: '%s'", canary.phone, canary.value("email"))
    (envelope,) = told().envelopes
    assert not canary.found_in(envelope)
    assert "vendor.sdk" in envelope


def test_what_is_no_error_is_not_sent(told):
    logging.getLogger("voicechat").warning("A warning")
    assert told().envelopes == []


def test_what_the_library_adds_one_day_is_not_sent():
    event = {"level": "error", "user": {"email": "alice@example.com"}, "request": {}, "breadcrumbs": [], "contexts": {}}
    assert sentry.picked(event, {}) == {"level": "error"}


@pytest.mark.parametrize("dsn", ["", DSN])
def test_without_a_dsn_nobody_is_told(dsn):
    accepted, said = start({**PRODUCTION, "SENTRY_DSN": dsn}, "s.LOGGING['root']['handlers']")
    assert accepted, said
    assert said.strip() == str(["console", "sentry"] if dsn else ["console"])


@pytest.mark.parametrize(
    ("dsn", "words"),
    [
        ("https://sentry.io/42", "SENTRY_DSN cannot be used: Sentry shows it under Client Keys"),
        ("http://0123abcd@sentry.example.com/42", "SENTRY_DSN is by http: production needs https://."),
    ],
)
def test_a_dsn_that_cannot_be_is_told_at_the_start_and_not_quoted(dsn, words):
    accepted, said = start({**PRODUCTION, "SENTRY_DSN": dsn})
    assert not accepted
    assert words in said
    assert dsn not in said
