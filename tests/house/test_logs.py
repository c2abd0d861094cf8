"""The log: one line of JSON a request, and nothing in any line that was sent."""

import json
import logging
import re
import runpy
from types import SimpleNamespace

import pytest
from django.db import IntegrityError
from gunicorn.config import Config

from groups.models import Group
from tests.house.starting import ROOT
from users.api.views import UserViewSet
from users.models import User
from voicechat.request_log import answered_line

MEMBERS = {
    "time": str,
    "level": str,
    "logger": str,
    "message": str,
    "request_id": str,
    "method": str | None,
    "route": str | None,
    "status": int,
    "ms": float,
    "user_id": int | None,
}
USERS = "/api/users"
GIVEN = "7d444840-9dc0-11d1-b245-5ffdce74fad2"


def answered(log):
    """The request's one line: its members are these, of these types."""
    (line,) = log.named("voicechat.requests")
    assert list(line) == list(MEMBERS)
    assert [name for name, kind in MEMBERS.items() if not isinstance(line[name], kind)] == []
    return line


def test_the_line_that_the_door_writes_is_the_same(client, db, log):
    made = Group.objects.create(name="Family")
    client.get(f"/api/groups/{made.pk}/callStatus", headers={"X-Request-Id": GIVEN})
    line = answered(log)
    by_hand = json.loads(answered_line(GIVEN, line["route"], 200, line["ms"], line["user_id"]))
    assert list(by_hand.items())[1:] == list(line.items())[1:]
    assert re.sub(r"\d", "0", by_hand["time"]) == re.sub(r"\d", "0", line["time"])


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "route"),
    [
        ("GET", USERS, {}, 200, "api/users"),
        ("GET", f"{USERS}/?limit=1", {}, 200, "api/users"),
        ("GET", f"{USERS}/9", {}, 404, "api/users/<id:user_id>"),
        ("GET", USERS, {"If-None-Match": "*"}, 304, "api/users"),
        ("GET", "/nope", {}, 404, None),
        ("DELETE", USERS, {}, 405, "api/users"),
        ("POST", USERS, {}, 413, None),
        ("OPTIONS", USERS, {"Origin": "https://a.example", "Access-Control-Request-Method": "PUT"}, 200, None),
        ("GET", "/healthz", {}, 200, "healthz"),
        ("GET", "/static/admin/css/base.css", {}, 200, None),
        ("GET", "/admin/users/user/7/change/", {}, 302, "admin/users/user/<path:object_id>/change/"),
    ],
)
def test_a_request_is_one_line(client, db, log, method, path, headers, status, route):
    answer = client.generic(method, path, b" " * 1024 * 1025 if status == 413 else b"", headers=headers)
    answer.close()
    line = answered(log)
    assert (answer.status_code, line["method"], line["status"], line["route"]) == (status, method, status, route)
    assert line["request_id"] == answer["X-Request-Id"]


def test_a_fault_of_ours_is_two_lines_with_one_id(client, db, log, monkeypatch):
    client.raise_request_exception = False
    monkeypatch.setattr(UserViewSet, "get_queryset", lambda _: 1 / 0)
    answer = client.get(USERS)
    assert (answer.status_code, answered(log)["status"]) == (500, 500)
    (fault,) = log.named("voicechat.errors")
    assert (fault["level"], fault["request_id"]) == ("ERROR", answer["X-Request-Id"])
    assert fault["exceptions"][0]["type"] == "builtins.ZeroDivisionError"
    assert fault["exceptions"][0]["frames"][-1].startswith("tests/house/test_logs.py:")


def test_a_fault_in_the_admin_is_logged_as_well(admin_client, log, monkeypatch):
    admin_client.raise_request_exception = False
    monkeypatch.setattr("groups.admin.GroupAdmin.get_queryset", lambda *_: 1 / 0)
    assert admin_client.get("/admin/groups/group/").status_code == 500
    assert len(log.named("voicechat.errors")) == 1


def test_what_led_to_a_fault_is_logged_too(log):
    try:
        try:
            raise KeyError("first")
        except KeyError as error:
            raise IntegrityError("second") from error
    except IntegrityError:
        logging.getLogger("voice.calls").exception("Something failed")
    types = [each["type"] for each in log.lines[0]["exceptions"]]
    assert types == ["django.db.utils.IntegrityError", "builtins.KeyError"]


def test_a_very_deep_fault_is_cut_to_where_it_happened(log):
    def deeper(level):
        return deeper(level - 1) if level else 1 / 0

    try:
        deeper(200)
    except ZeroDivisionError:
        logging.getLogger("voice").exception("Something failed")
    assert len(log.lines[0]["exceptions"][0]["frames"]) == 20


def test_the_lines_of_a_request_carry_its_id_and_others_none(client, db, log, monkeypatch):
    def list_people(*_):
        logging.getLogger("users.api.views").warning("Within")
        return User.objects.get_queryset()

    monkeypatch.setattr(UserViewSet, "get_queryset", list_people)
    client.get(USERS, headers={"X-Request-Id": GIVEN})
    logging.getLogger("users.api.views").warning("Without")
    assert [line["request_id"] for line in log.lines] == [GIVEN, GIVEN, None]


@pytest.mark.parametrize(
    "given",
    [
        *("4111111111111111", "15551234567", "alice-smith-1970", "alice@example.com", "x" * 32, "f" * 31, "f" * 33),
        *("", "../../etc", "a" * 5000, "\u202e" + "f" * 31, "f" * 32 + " ", "{" + "f" * 30 + "}", "０" * 32),
    ],
)
def test_what_does_not_look_like_an_id_is_none(client, db, log, given):
    answer = client.get(USERS, headers={"X-Request-Id": given})
    assert re.fullmatch("[0-9a-f]{32}", answer["X-Request-Id"])
    assert answer["X-Request-Id"] != given
    assert {line["request_id"] for line in log.lines} == {answer["X-Request-Id"]}


@pytest.mark.parametrize("given", ["0123456789abcdef0123456789abcdef", GIVEN, GIVEN.upper()])
def test_a_proxys_id_is_kept(client, db, given):
    assert client.get(USERS, headers={"X-Request-Id": given})["X-Request-Id"] == given


def test_the_person_is_named_by_their_id(api, alice, issuer, log):
    assert api.get(USERS, headers={"Authorization": f"Bearer {issuer.token()}"}).status_code == 200
    assert answered(log)["user_id"] == alice.pk


def test_in_open_mode_nobody_is_named(api, alice, log):
    api.get(USERS)
    assert answered(log)["user_id"] is None


def test_the_operator_is_named_in_the_admin(admin_client, admin_user, log):
    admin_client.get("/admin/")
    assert answered(log)["user_id"] == admin_user.pk


def test_the_log_asks_the_database_nothing(admin_client, log, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert admin_client.get("/admin").status_code == 302
    assert answered(log)["user_id"] is None


def test_a_method_of_ones_own_making_is_not_written(client, db, log):
    assert client.generic("ALICE-15551234567", USERS).status_code == 405
    assert answered(log)["method"] is None


@pytest.mark.parametrize("letter", ["\n", "\r\n", "\u2028", "\u2029", "\x85", "\x00", "\x1b[31m", "\ud800", '"}\n{"'])
def test_nothing_can_begin_a_line_of_its_own(log, letter):
    record = logging.makeLogRecord({"name": "voice", "msg": "Call %s ended", "args": (f"CA1{letter}CA2",)})
    text = log.format(record)
    assert text.isascii()
    assert len(text.splitlines()) == 1
    assert json.loads(text)["message"] == f"Call CA1{letter}CA2 ended"


@pytest.mark.parametrize(
    ("name", "message", "args", "written"),
    [
        ("voice.conferences.events", "Call %s has no price", ("CA1",), "Call CA1 has no price"),
        ("voice.conferences.events", "It failed: %s", (ValueError("alice@example.com"),), "It failed: ValueError"),
        ("voice.conferences.events", ValueError("alice@example.com"), (), "ValueError"),
        ("voice.conferences.events", "100 %", (), "100 %"),
        ("voice.conferences.events", "%d calls", ("many",), "%d calls"),
        ("voicechatter", "To %s", ("alice@example.com",), "To ***"),
        (
            "urllib3.connectionpool",
            "Retrying (%r) after %s: %s",
            (2, OSError("no"), "/x"),
            "Retrying (2) after OSError: ***",
        ),
        ("some.sdk", "Called +%s", (15551234567,), "Called +***"),
        ("some.sdk", "%(who)s called", ({"who": "alice@example.com"},), "%(who)s called"),
        (
            "django.db",
            "Error calling tell() (%s).",
            (IntegrityError("alice"),),
            "Error calling tell() (IntegrityError).",
        ),
        ("gunicorn.error", "Booting worker with pid: %s", (4711,), "Booting worker with pid: 4711"),
        ("gunicorn.error", "Invalid request from ip=::1: Invalid header: 'alice'", (), "Invalid request from ip"),
        ("gunicorn.error", "Error handling request %s", ("/?search=alice",), "Error handling request ***"),
    ],
)
def test_other_peoples_messages_are_written_without_what_was_put_into_them(log, name, message, args, written):
    record = logging.makeLogRecord({"name": name, "msg": message, "args": args})
    assert json.loads(log.format(record))["message"] == written


@pytest.fixture
def gunicorn():
    """gunicorn's configuration, and its logger as a flag that asks for an access log sets it up."""
    configuration = runpy.run_path(str(ROOT / "gunicorn.conf.py"))
    flags = Config()
    flags.set("accesslog", "-")
    loggers = [logging.getLogger(name) for name in ("gunicorn.error", "gunicorn.access")]
    yield configuration, configuration["Logger"](flags)
    for logger in loggers:
        logger.handlers.clear()
        logger.propagate = True


def test_gunicorn_writes_json_and_in_its_workers_quotes_nothing(gunicorn):
    configuration, logger = gunicorn
    record = logging.makeLogRecord({"name": "gunicorn.error", "msg": "Listening at: %s", "args": ("0.0.0.0:80",)})
    (handler,) = logger.error_log.handlers
    assert json.loads(handler.format(record))["message"] == "Listening at: 0.0.0.0:80"
    configuration["post_fork"](None, SimpleNamespace(log=logger))
    assert json.loads(handler.format(record))["message"] == "Listening at: ***"


def test_gunicorn_keeps_no_access_log(gunicorn, capsys):
    _, logger = gunicorn
    assert not logger.access_log_enabled
    logger.access(None, None, {}, None)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", ["stripe", "twilio.http_client", "urllib3.connectionpool", "Cloudinary", "httpx"])
def test_vendors_libraries_are_heard_from_a_warning_on(name, log):
    logging.getLogger(name).info("POST /v1/customers email=alice@example.com")
    logging.getLogger(name).warning("Slow")
    assert [line["message"] for line in log.lines] == ["Slow"]


@pytest.mark.parametrize("name", ["django.request", "django.security.DisallowedHost", "django.server"])
def test_django_does_not_tell_of_requests_itself(name, log):
    logging.getLogger(name).error("Invalid HTTP_HOST header: alice@example.com")
    assert log.lines == []


def test_a_suspicious_request_is_logged_by_its_kind(client, db, log, settings):
    settings.ALLOWED_HOSTS = ["api.example.com"]
    assert client.get("/admin/login/").status_code == 400
    assert [line["message"] for line in log.named("voicechat.errors")] == ["A request was refused: DisallowedHost"]


def test_two_changes_that_meet_are_logged_by_their_place(api, group, alice, log, monkeypatch):
    def fail(**_):
        raise IntegrityError("Key (email)=(alice@example.com) already exists")

    monkeypatch.setattr("users.api.views.sign_up", fail)
    assert api.post(USERS, {"email": "eve@example.com"}).status_code == 409
    (line,) = log.named("voicechat.errors")
    assert line["message"] == "Two changes met"
    assert line["exceptions"][0]["frames"]
