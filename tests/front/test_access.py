"""The door lets in whom Django lets in: the access matrix, each cell of it asked three times; and whoever has just lost
what let them in is told so at the very next poll."""

import time

import pytest

from tests.access.conftest import *  # noqa: F403  # its cast
from tests.access.operations import PRIVATE_OPERATIONS
from tests.doubles.issuer import HOUR
from tests.front.through import TIMES, Through
from users.models import User
from users.sign_in.tokens import LEEWAY
from voicechat.front.counts import counts

OF_GROUPS = ("groupOwners", "groupMembers", "groupInvitees", "callParticipants", "activities", "callStatus")
KEPT = {
    *(f"GET /api/groups/{{group_id}}/{name}" for name in OF_GROUPS),
    *("GET /api/users/{user_id}", "GET /api/users/{self}", "GET /api/users/{user_id}/detailed"),
}
READS = [operation for operation in PRIVATE_OPERATIONS if operation.route in KEPT]


@pytest.fixture
def api():
    client = Through()
    yield client
    client.close()


def bearer(token):
    return {"Authorization": f"Bearer {token}"} if token else {}


@pytest.mark.parametrize("operation", READS, ids=str)
def test_each_caller_is_answered_as_by_django(api, tokens, names, operation):
    before = counts.kept
    refused = {caller: token for caller, token in tokens.items() if operation.cells[caller].rstrip("=") != "200"}
    for caller, token in (*tokens.items(), *refused.items()):  # once more, when something is kept
        status = api.get(operation.path_for(names(caller)), headers=bearer(token)).status_code
        assert f"{status}" == operation.cells[caller].rstrip("=")
    assert (counts.kept > before) == ("200" in operation.cells.values())


# --- What was just lost ----------------------------------------------------------------------------------------------


@pytest.fixture
def path(group):
    return f"/api/groups/{group.pk}/callStatus"


@pytest.fixture
def polled(api):
    """The status of one poll of the door's. Django is asked by nobody before it."""

    def polled(path, token):
        return api.poll(path, bearer(token)).status_code

    return polled


@pytest.fixture
def let_in(polled):
    """Polls until the answer comes from what is kept: the first poll brings a token that is not known yet."""

    def let_in(path, token):
        for _ in range(1 + TIMES):
            before = counts.kept
            assert polled(path, token) == 200
        assert counts.kept == before + 1

    return let_in


@pytest.fixture
def deletes(api, tokens, bound, group):
    """By the API: who, and what."""

    def deletes(caller, path):
        path = path.format(group=group.pk, **{name: user.pk for name, user in bound.items()})
        assert api.delete(f"/api/{path}", headers=bearer(tokens[caller])).status_code == 200

    return deletes


DELETED = {
    "removed": ("owner", "groups/{group}/groupMembers/{member}", "member", 404),
    "has left": ("member", "groups/{group}/groupMembers/{member}", "member", 404),
    "no longer invited": ("owner", "groups/{group}/groupInvitees/{invitee}", "invitee", 404),
    "deleted": ("owner", "users/{owner}", "owner", 403),
    "deleted by staff": ("staff", "users/{member}", "member", 403),
    "of a group that is gone": ("owner", "groups/{group}", "member", 404),
}
CHANGED = {
    "disabled": ({"is_active": False}, "member", 403),
    "bound to another sign-in": ({"oidc_subject": "another"}, "member", 403),
    "staff no more": ({"is_staff": False}, "staff", 404),
}


@pytest.mark.parametrize(("who", "what", "caller", "refused"), DELETED.values(), ids=DELETED)
def test_whoever_is_taken_away_is_told_so_at_the_next_poll(
    let_in, polled, deletes, tokens, path, who, what, caller, refused
):
    let_in(path, tokens[caller])
    deletes(who, what)
    assert polled(path, tokens[caller]) == refused


@pytest.mark.parametrize(("fields", "caller", "refused"), CHANGED.values(), ids=CHANGED)
def test_whose_right_is_taken_away_is_told_so_at_the_next_poll(
    let_in, polled, tokens, bound, path, fields, caller, refused
):
    let_in(path, tokens[caller])
    User.objects.filter(pk=bound[caller].pk).update(**fields)
    assert polled(path, tokens[caller]) == refused


@pytest.fixture
def shown(api, tokens):
    def shown(path, caller):
        return api.poll(path, bearer(tokens[caller])).content

    return shown


def test_whose_staff_is_taken_away_is_shown_no_more_of_a_person_than_anybody(let_in, shown, tokens, bound):
    path = f"/api/users/{bound['Mike'].pk}"
    for caller in ("staff", "stranger"):
        let_in(path, tokens[caller])
    assert shown(path, "staff") != shown(path, "stranger")
    User.objects.filter(pk=bound["staff"].pk).update(is_staff=False)
    assert shown(path, "staff") == shown(path, "stranger")


def test_what_staff_and_others_are_shown_of_a_person_is_kept_side_by_side(let_in, shown, tokens, bound):
    path = f"/api/users/{bound['Mike'].pk}"
    for caller in ("staff", "stranger"):
        let_in(path, tokens[caller])
    before = counts.kept
    assert (shown(path, "staff") == shown(path, "stranger"), counts.kept) == (False, before + 2)


def test_what_was_made_for_somebody_who_was_staff_just_then_is_shown_nobody_else(api, shown, bound, monkeypatch):
    """Whom it is for was asked before it was made."""
    path, stranger = f"/api/users/{bound['Mike'].pk}", User.objects.filter(pk=bound["stranger"].pk)
    little, _ = shown(path, "stranger"), shown(path, "stranger")
    django = api.door.bridge.application

    def while_they_are_staff(*request):
        stranger.update(is_staff=True)
        try:
            return django(*request)
        finally:
            stranger.update(is_staff=False)

    with monkeypatch.context() as patched:
        patched.setattr(api.door.bridge, "application", while_they_are_staff)
        assert shown(path, "stranger") != little
    assert shown(path, "stranger") == little


def test_whoever_is_an_owner_no_more_stands_in_no_list_of_them(let_in, shown, deletes, tokens, group):
    path = f"/api/groups/{group.pk}/groupOwners"
    let_in(path, tokens["member"])
    assert b"Olga" in shown(path, "member")
    deletes("owner", "groups/{group}/groupOwners/{Olga}")
    assert b"Olga" not in shown(path, "member")


# --- Tokens ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def later(monkeypatch):
    """Moves the clock by which the age of the issuer's keys is measured."""
    return lambda seconds: monkeypatch.setattr("users.sign_in.issuers.monotonic", lambda: time.monotonic() + seconds)


def test_a_token_that_has_run_out_lets_nobody_in(polled, bound, issuer, path):
    email, before = bound["member"].email, counts.kept
    ends = int(time.time()) + 3
    token = issuer.token(email, sub=email, exp=ends - LEEWAY)
    while (status := polled(path, token)) == 200 and time.time() < ends + 30:
        time.sleep(0.02)
    assert (status, counts.kept > before) == (401, True)
    assert time.time() >= ends


def test_a_key_that_its_issuer_has_replaced_lets_nobody_in_once_that_is_known(
    let_in, polled, later, tokens, bound, issuer, path
):
    let_in(path, tokens["member"])
    issuer.rotate()
    later(10)
    email = bound["owner"].email
    assert polled(path, issuer.token(email, sub=email)) == 200  # by a key for which the issuer is asked
    assert polled(path, tokens["member"]) == 401


def test_a_key_that_was_withdrawn_lets_nobody_in_after_the_hour(let_in, polled, later, tokens, issuer, path):
    let_in(path, tokens["member"])
    issuer.keys = issuer.keys[1:]
    later(HOUR + 60)
    assert polled(path, tokens["member"]) == 401


def test_a_key_that_stays_beside_new_ones_goes_on_letting_in(let_in, later, tokens, issuer, path):
    let_in(path, tokens["member"])
    old = issuer.keys
    issuer.rotate()
    issuer.keys = [*issuer.keys, *old]
    later(HOUR + 60)
    let_in(path, tokens["member"])
