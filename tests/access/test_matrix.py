"""Every operation by every caller, from the table in `matrix.py`."""

import json
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from PIL import Image

from tests.access.conftest import ABSENT
from tests.access.operations import KNOWN, OPERATIONS, PRIVATE_OPERATIONS, served
from tests.access.rows import all_rows, changed, writes
from tests.access.shown import shown_beyond
from tests.openapi import document
from users.models import User

WHY = {"nobody": "not_authenticated", "expired": "token_expired", "forged": "token_invalid"}
OF_A_GROUP = [operation for operation in PRIVATE_OPERATIONS if "{group}" in str(operation)]

pytestmark = pytest.mark.usefixtures("_photo")


def photo():
    written = BytesIO()
    Image.new("RGB", (4, 3)).save(written, format="PNG")
    return {"image": SimpleUploadedFile("photo.png", written.getvalue())}


@pytest.fixture
def send(api, tokens, names):
    """An operation as a caller sends it."""

    def send(operation, caller, **changes):
        known, token = {**names(caller), **changes}, tokens[caller]
        sent = {"headers": {"Authorization": f"Bearer {token}"} if token else {}}
        if operation.path == "/api/upload":
            sent |= {"data": photo(), "format": "multipart"}
        elif operation.body:
            sent |= {"data": operation.body_for(known)}
        return getattr(api, operation.method.lower())(operation.path_for(known), **sent)

    return send


@pytest.fixture
def walk(send, bound):
    """What each caller is answered, in the table's words; and what is wrong beside the status."""

    somebody = User(email="nobody@example.com")

    def cell(operation, caller, before, **changes):
        with transaction.atomic(), writes() as written:
            answer = send(operation, caller, **changes)
            list(answer)  # to its end, which closes the file of an image
            tables = changed(before, all_rows()) if written else []
            transaction.set_rollback(True)
        viewer, in_group = bound.get(caller, somebody), operation.path.endswith("detailed")
        is_made_up = operation.path == "/api/schema"  # its examples have an Alice of their own
        faults = [] if is_made_up else shown_beyond(answer, viewer=viewer, people=bound, in_group=in_group)
        if answer.status_code == 401 and answer["WWW-Authenticate"].partition(" ")[0] != "Bearer":
            faults.append("no challenge")
        if answer.status_code == 401 and answer.json()["code"] != WHY.get(caller):
            faults.append(answer.json()["code"])
        is_quiet = answer.status_code < 300 and operation.method != "GET" and not tables
        if tables and (answer.status_code >= 300 or operation.method == "GET"):
            faults.append(f"changed {tables}")
        return " ".join([f"{answer.status_code}{'=' if is_quiet else ''}", *faults])

    def walk(operation, **changes):
        before = all_rows()
        return {caller: cell(operation, caller, before, **changes) for caller in operation.cells}

    return walk


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_each_caller_is_answered_as_the_table_says(walk, operation):
    assert walk(operation) == operation.cells


@pytest.mark.parametrize("operation", OF_A_GROUP, ids=str)
def test_a_group_that_is_absent_looks_like_one_that_is_not_to_be_known(walk, operation):
    assert walk(operation, group=ABSENT) == {**operation.cells, **dict.fromkeys(KNOWN, "404")}


def test_every_operation_that_is_served_is_in_the_table():
    assert served() == {operation.route for operation in OPERATIONS}


def test_each_field_that_a_put_takes_is_tried_by_itself():
    """Rights differ by field."""
    changes = [(each.route, json.loads(each.body)) for each in PRIVATE_OPERATIONS if each.method == "PUT"]
    tried = {(route, *body) for route, body in changes if len(body) == 1}
    assert tried == {(f"PUT {path}", field) for path, fields in fields_of_puts() for field in fields}


def fields_of_puts():
    for path, operations in document()["paths"].items():
        if "put" in operations:
            schema = operations["put"]["requestBody"]["content"]["application/json"]["schema"]
            yield path, document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]["properties"]


@pytest.mark.alone
@pytest.mark.parametrize(("caller", "seen"), [("stranger", []), ("staff", ["Family", "Neighbours"])])
def test_a_list_of_groups_holds_those_that_one_may_see(send, caller, seen):
    assert [each["name"] for each in send(listing("GET /api/groups"), caller).json()] == seen


@pytest.mark.parametrize("caller", ["invitee", "member", "owner"])
def test_a_list_of_groups_holds_ones_own(send, caller):
    assert [each["name"] for each in send(listing("GET /api/groups"), caller).json()] == ["Family"]


def listing(name):
    return next(operation for operation in OPERATIONS if str(operation) == name)


def test_a_webhook_signed_by_twilio_needs_no_token(issuer, twilio, group):
    assert "Conference" not in twilio("/api/voice/makeCall", to=group.pk).content.decode()
    assert twilio("/api/voice/callEvents", CallSid="CA1", CallStatus="completed").status_code == 204
    assert twilio("/api/voice/conferenceEvents", ConferenceSid="CF1").status_code == 204


def test_a_webhook_signed_by_another_is_refused(issuer, twilio, group):
    for path in ("makeCall", "callEvents", "conferenceEvents"):
        answer = twilio(f"/api/voice/{path}", signature="c2lnbmVkIGJ5IG5vYm9keQ==", CallSid="CA1")
        assert (answer.status_code, answer.json()["code"]) == (403, "signature_invalid")
