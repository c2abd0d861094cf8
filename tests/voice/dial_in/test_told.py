"""GET /api/groups/:id/dialIn and POST …/dialIn/pin: what a person is told of dialling in."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections

from groups.models import Group
from tests.conftest import Client, person
from tests.neighbours import ours
from users.sign_in.local_issuer import local_token
from voice.dial_in.codes import code_in
from voice.dial_in_models import DialInCode, DialInNumber


@pytest.fixture
def ask(api, group, sign_in):
    def ask(user, *, new=False, **options):
        path, send = (
            (f"/api/groups/{group.pk}/dialIn/pin", api.post) if new else (f"/api/groups/{group.pk}/dialIn", api.get)
        )
        headers = {"Authorization": f"Bearer {local_token(user.email)}", **options.pop("headers", {})}
        return send(path, headers=headers, **options)

    return ask


def test_a_member_is_told_the_numbers_and_their_own_code(ask, bob, alice, group, settings):
    settings.DIAL_IN_NUMBERS = ["+12025550100", "+442071234567"]
    for number in ("+493012345678", "+493012345670"):
        DialInNumber.objects.create(group=group, number=number)
    answer = ask(bob)
    assert (answer.status_code, list(answer.json())) == (200, ["numbers", "pin", "knownCaller"])
    assert answer.json()["numbers"] == ["+493012345678", "+493012345670", "+12025550100", "+442071234567"]
    assert answer.json()["pin"] == ask(bob).json()["pin"]
    assert answer.json()["pin"] != ask(alice).json()["pin"]
    assert len(answer.json()["pin"]) == 8
    assert answer["Cache-Control"] == "no-store"


def test_a_groups_own_number_that_is_everybodys_too_is_told_once(ask, bob, group, settings):
    settings.DIAL_IN_NUMBERS = ["+12025550100", "+493012345678"]
    DialInNumber.objects.create(group=group, number="+493012345678")
    assert ask(bob).json()["numbers"] == ["+493012345678", "+12025550100"]


def test_whether_they_walk_in(ask, bob, verify):
    assert ask(bob).json()["knownCaller"] is False
    verify(bob)
    assert ask(bob).json()["knownCaller"] is True


def test_a_new_code_takes_the_place_of_the_old_one(ask, bob):
    old = ask(bob).json()["pin"]
    new = ask(bob, new=True)
    assert (new.status_code, list(new.json())) == (200, ["numbers", "pin", "knownCaller"])
    assert new.json()["pin"] != old
    assert ask(bob).json()["pin"] == new.json()["pin"]
    assert ours(DialInCode).count() == 1


def test_asked_again_under_its_key_it_is_one(ask, bob):
    headers = {"Idempotency-Key": "k1"}
    first, again = (ask(bob, new=True, headers=headers).json()["pin"] for _ in range(2))
    assert first == again
    assert ask(bob, new=True).json()["pin"] != first


def test_staff_are_told_nobodys(ask, bob):
    root = person("Root", is_staff=True)
    ask(bob)
    assert ask(root, data={"userId": bob.pk}).json()["pin"] is None
    assert ask(root, new=True, data={"userId": bob.pk}).status_code == 400


def test_it_is_ones_own_whoever_is_named(ask, bob, alice):
    assert ask(bob, data={"userId": alice.pk}).json()["pin"] == ask(bob).json()["pin"]


def test_an_invitee_is_not_told_and_a_stranger_finds_nothing(ask, carol, dave):
    for new in (False, True):
        assert (ask(carol, new=new).status_code, ask(dave, new=new).status_code) == (403, 404)


# In open mode


def test_in_open_mode_it_is_told_of_whoever_is_named(api, group, bob, dave):
    path = f"/api/groups/{group.pk}/dialIn"
    assert api.get(path).json() == {"numbers": [], "pin": None, "knownCaller": False}
    assert api.get(path, {"userId": dave.pk}).json()["pin"] is None
    shown = api.get(path, {"userId": bob.pk}).json()["pin"]
    assert api.post(f"{path}/pin", {"userId": bob.pk}).json()["pin"] != shown


@pytest.mark.parametrize("user_id", ["x", "-1", "1.5"])
def test_a_malformed_person_is_400(api, group, user_id):
    assert api.get(f"/api/groups/{group.pk}/dialIn", {"userId": user_id}).status_code == 400
    assert api.post(f"/api/groups/{group.pk}/dialIn/pin", {"userId": user_id}).status_code == 400


def test_without_somebody_in_the_group_there_is_no_new_code(api, group, dave):
    for body in ({}, {"userId": dave.pk}):
        answer = api.post(f"/api/groups/{group.pk}/dialIn/pin", body)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "userId")


def test_of_no_group_nothing_is_told(api, db):
    assert api.get("/api/groups/99/dialIn").status_code == 404
    assert api.post("/api/groups/99/dialIn/pin", {}).status_code == 404
    assert not ours(Group).exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("on_postgresql")
def test_who_looks_twice_at_once_for_the_first_time_sees_one_code(group, bob):
    barrier = Barrier(6)

    def look():
        try:
            barrier.wait(30)
            return Client().get(f"/api/groups/{group.pk}/dialIn", {"userId": bob.pk}).json()["pin"]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        shown = {each.result() for each in [pool.submit(look) for _ in range(6)]}
    assert shown == {code_in(group_id=group.pk, user_id=bob.pk)}
