"""What every request passes through, whichever view it is for."""

import json

import pytest
from django.conf import settings as configured

from tests.hostile.server import Server
from voicechat.handler import Handler

JSON = "application/json"
FRIEND = json.dumps({"email": "rose@example.com"}).encode()


@pytest.fixture
def send(db):
    """A request as gunicorn hands it over; its status, and what is wrong with it."""
    server = Server(Handler())

    def send(method, path, content=b"", content_type=JSON, **environ):
        answer = server.generic(method, path, content, content_type=content_type, **environ)
        is_problem = answer["Content-Type"] == "application/problem+json"
        return answer.status_code, json.loads(answer.content)["code"] if is_problem else ""

    return send


@pytest.mark.parametrize("length", ["five", "-1", "+5", "1_0", "5.0", "9" * 20])
def test_what_is_no_length_is_none(send, length):
    assert send("POST", "/api/users", FRIEND, CONTENT_LENGTH=length) == (400, "bad_request")


@pytest.mark.parametrize("missing", [1, 20])
def test_half_a_body_is_none(send, missing):
    assert send("POST", "/api/users", FRIEND, CONTENT_LENGTH=str(len(FRIEND) + missing)) == (400, "bad_request")
    assert send("POST", "/api/users", FRIEND) == (201, "")


def test_so_much_may_a_body_hold_and_an_upload_more(send):
    padded = FRIEND + b" " * (configured.MAX_BODY - len(FRIEND))
    assert send("POST", "/api/users", padded) == (201, "")
    assert send("POST", "/api/users", padded + b" ") == (413, "body_too_large")
    assert send("POST", "/api/upload", padded + b" ", "multipart/form-data; boundary=b")[1] != "body_too_large"


def test_how_nothing_is_encoded_is_no_matter(send):
    assert send("GET", "/api/groups", HTTP_CONTENT_ENCODING="gzip") == (200, "")
    assert send("POST", "/api/users", FRIEND, HTTP_CONTENT_ENCODING="gzip") == (415, "unsupported_encoding")
    assert send("POST", "/api/users", FRIEND, HTTP_CONTENT_ENCODING="identity") == (201, "")


def test_a_request_has_its_time_for_vendors(db, api, stripe_payments, stripe_double, monkeypatch):
    monkeypatch.setattr("core.deadline.SECONDS", 0.0)
    assert api.post("/api/users", {"email": "rose@example.com"}).json()["stripeId"] is None
    assert stripe_double.requests == []


def test_who_knows_an_answer_is_told_on_what_it_depends(api, group):
    asked = {"Origin": "https://app.example.com"}
    whole = api.get(f"/api/groups/{group.pk}/groupMembers", headers=asked)
    short = api.get(f"/api/groups/{group.pk}/groupMembers", headers={**asked, "If-None-Match": whole["ETag"]})
    assert (short.status_code, short["Vary"], short["Cache-Control"]) == (304, whole["Vary"], whole["Cache-Control"])
