"""What holds for every route."""

import re

import pytest
from django.urls import get_resolver
from rest_framework.test import APIClient

SPECIFIED = """
GET POST /api/users
GET PUT DELETE /api/users/1
GET /api/users/1/detailed
GET PUT /api/users/1/accountBalance
GET PUT /api/users/1/last4
GET /api/users/1/statement
GET /api/users/1/export
GET /api/users/1/export/00000000-0000-4000-8000-000000000001
GET PUT /api/users/1/notifications
GET POST DELETE /api/users/1/phoneVerification
POST /api/users/1/phoneVerification/check
GET POST /api/users/unsubscribe
GET /api/users/1/groupsOwned
GET /api/users/1/groupsBelongedTo
GET /api/users/1/groupsInvitedTo
GET POST /api/groups
GET PUT DELETE /api/groups/1
GET POST /api/groups/1/activities
GET POST DELETE /api/groups/1/callParticipants
PUT DELETE /api/groups/1/callParticipants/1
GET PUT /api/groups/1/callStatus
GET PUT /api/groups/1/call
DELETE /api/groups/1/call/unknownCallers
GET PUT /api/groups/1/call/endWhenAlone
GET PUT /api/groups/1/call/language
GET POST /api/groups/1/groupOwners
GET /api/groups/1/groupOwners/detailed
DELETE /api/groups/1/groupOwners/1
GET POST /api/groups/1/groupMembers
GET /api/groups/1/groupMembers/detailed
DELETE /api/groups/1/groupMembers/1
GET POST /api/groups/1/groupInvitees
GET /api/groups/1/groupInvitees/detailed
DELETE /api/groups/1/groupInvitees/1
GET POST /api/groups/1/invitationLinks
DELETE /api/groups/1/invitationLinks/1
GET /api/groups/invitations/x
POST /api/groups/invitations/x/accept
GET /api/groups/1/dialIn
POST /api/groups/1/dialIn/pin
POST /api/groups/1/ring
GET PUT /api/groups/1/captions
POST /api/groups/1/spokenMessages
POST /api/voice/ringAnswer
POST /api/voice/keypad
POST /api/voice/dialIn
POST /api/voice/dialIn/pin
GET /api/voice/accessToken
GET POST /api/voice/makeCall
GET /api/live
POST /api/live/tickets
POST DELETE /api/voice/registerBinding
POST DELETE /api/voice/register-binding
POST /api/voice/sendNotification
POST /api/voice/send-notification
POST /api/voice/conferenceEvents
POST /api/voice/announcement
POST /api/voice/callEvents
POST /api/voice/captionEvents
POST /api/billing/addMoney
GET /api/billing/allTwilioCharges
POST /api/billing/attachSourceToCustomer
POST /api/billing/createCharge
POST /api/billing/groupTwilioCharges
POST /api/billing/retrieveCustomerDefaultSource
POST /api/billing/updateCreditCard
POST /api/billing/updateDefaultSource
POST /api/billing/userStripeCharges
POST /api/billing/stripeWebhook
POST /api/upload
"""
ROUTES = [(line.split()[:-1], line.split()[-1]) for line in SPECIFIED.strip().splitlines()]
every_route = pytest.mark.parametrize(("methods", "path"), ROUTES)
KNOWN = ("GET", "POST", "PUT", "PATCH", "DELETE", "TRACE")

pytestmark = pytest.mark.django_db


@every_route
def test_it_allows_its_methods_and_no_other(api, group, methods, path):
    for method in KNOWN:
        if method not in methods:
            answer = api.generic(method, path)
            assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
            assert {*methods, "OPTIONS"} <= set(answer["Allow"].split(", ")) <= {*methods, "OPTIONS", "HEAD"}


@every_route
def test_a_final_slash_changes_nothing(group, methods, path):
    client = APIClient()
    for method in methods:
        if method != "DELETE":
            plain, slashed = client.generic(method, path), client.generic(method, f"{path}/")
            assert plain.status_code == slashed.status_code < 500
            assert slashed.headers["Content-Type"] == plain.headers["Content-Type"]


@every_route
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff\xfe", b'{"userId": {"a": []}}', b"null"])
def test_a_hopeless_body_is_refused_as_problem_json(api, group, methods, path, body):
    for method in {"POST", "PUT"} & set(methods):
        answer = api.generic(method, path, body, content_type="application/json")
        assert answer.status_code < 500
        if answer.status_code >= 400:
            assert answer["Content-Type"] == "application/problem+json"
            assert list(answer.json()) == ["type", "title", "status", "detail", "code", "errors"]


def test_every_route_of_the_api_is_in_this_table():
    served = {
        str(pattern.pattern) for pattern in get_resolver().url_patterns if str(pattern.pattern).startswith("api/")
    }
    pages = {"api/schema", "api/docs"}
    listed = {path.lstrip("/") for _, path in ROUTES}
    exported = "00000000-0000-4000-8000-000000000001"
    generic = {
        re.sub(r"<id:\w+>", "1", route).replace("<str:token>", "x").replace("<uuid:export_id>", exported)
        for route in served - pages
    }
    assert generic == listed


def test_the_greeting_of_the_first_back_end(api):
    assert api.get("/").content == b"Hello World!"


@pytest.mark.parametrize(
    "path", ["/nope", "/api", "/api/", "/api/users//", "//api/users", "/api/Users", "/api/users.json"]
)
def test_an_unknown_path_is_404_as_problem_json(api, path):
    answer = api.get(path)
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


def test_options_names_the_methods(api):
    assert api.options("/api/users").json() == {"methods": ["GET", "POST", "HEAD", "OPTIONS"]}
