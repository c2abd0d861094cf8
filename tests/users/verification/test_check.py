"""POST …/phoneVerification/check, and what is known from then on."""

import pytest
from django.utils import timezone

from groups.notifications.models import SandboxEmail
from tests.neighbours import ours
from tests.users.verification.conftest import NUMBER
from users.models import PendingVerification, User, VerifiedNumber
from users.signals import number_shared

pytestmark = pytest.mark.django_db


def test_the_right_code_verifies_the_number_and_shows_it(service, start, type_in, code, api, path, alice, bob):
    assert api.get(path(alice)).json() == {"phoneNumber": None, "verifiedAt": None}
    start(alice)
    start(bob)
    answer = type_in(alice, code(alice))
    assert answer.status_code == 200
    assert answer.json() == api.get(f"/api/users/{alice.pk}").json()
    assert answer.json()["phoneNumber"] == int(NUMBER)
    shown = api.get(path(alice)).json()
    assert (shown["phoneNumber"], shown["verifiedAt"][-1]) == (NUMBER, "Z")
    assert ours(PendingVerification).get().user == bob


def test_a_code_may_be_typed_with_spaces(service, start, type_in, code, alice):
    start(alice)
    assert type_in(alice, f" {code(alice)[:3]} {code(alice)[3:]}").status_code == 200


@pytest.mark.parametrize("typed", ["", "12", "1" * 11, "abcdef", None, [1], True])
def test_what_is_no_code_is_no_try(service, start, type_in, alice, typed):
    start(alice)
    answer = type_in(alice, typed)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "code")
    assert ours(PendingVerification).get().tries == 0


def test_five_wrong_ones_are_told_so_and_then_the_right_one_counts_no_more(service, start, type_in, code, alice):
    start(alice)
    answers = [type_in(alice, "000000") for _ in range(5)]
    assert {(each.status_code, each.json()["code"]) for each in answers} == {(400, "code_wrong")}
    late = type_in(alice, code(alice))
    assert (late.status_code, late.json()["code"]) == (410, "code_expired")
    assert not ours(VerifiedNumber).exists()


def test_after_four_wrong_ones_the_right_one_counts(service, start, type_in, code, alice):
    start(alice)
    for _ in range(4):
        type_in(alice, "000000")
    assert type_in(alice, code(alice)).status_code == 200


def test_after_ten_minutes_a_code_counts_no_more(service, start, type_in, code, alice):
    start(alice)
    ours(PendingVerification).update(expires_at=timezone.now())
    assert type_in(alice, code(alice)).status_code == 410


def test_at_the_very_end_of_its_time_it_counts_no_more(service, start, type_in, code, alice, monkeypatch):
    start(alice)
    end = ours(PendingVerification).get().expires_at
    monkeypatch.setattr(timezone, "now", lambda: end)
    assert type_in(alice, code(alice)).status_code == 410


def test_a_code_for_another_number_that_is_asked_for_while_the_first_is_compared_still_counts(
    sandbox_verify, start, type_in, code, alice, monkeypatch
):
    start(alice)
    first = code(alice)

    def ask_for_another(name):
        monkeypatch.undo()
        start(alice, "+12025550199")

    monkeypatch.setattr("users.verification.services.failpoint", ask_for_another)
    assert type_in(alice, first).json()["phoneNumber"] == int(NUMBER)
    assert type_in(alice, code(alice)).json()["phoneNumber"] == 12025550199


def test_without_a_code_there_is_none_to_type(service, type_in, alice, verify):
    assert type_in(alice, "123456").status_code == 410
    verify(alice)
    assert type_in(alice, "123456").status_code == 410


def test_another_persons_code_is_none(sandbox_verify, start, type_in, code, alice, bob):
    start(alice)
    start(bob, "+12025550199")
    assert type_in(bob, code(alice)).status_code == 400


def test_a_number_of_fifteen_digits_fits(sandbox_verify, start, type_in, code, api, alice):
    start(alice)
    ours(PendingVerification).update(number="+491512345678901")
    assert type_in(alice, code(alice)).json()["phoneNumber"] == 491512345678901
    assert api.get(f"/api/users/{alice.pk}").json()["phoneNumber"] == 491512345678901


def test_what_the_person_says_later_changes_what_is_shown_and_not_who_is_known(service, verify, api, path, alice):
    verify(alice)
    api.put(f"/api/users/{alice.pk}", {"phoneNumber": "+12025550199"})
    assert api.get(path(alice)).json()["phoneNumber"] == NUMBER
    assert api.get(f"/api/users/{alice.pk}").json()["phoneNumber"] == 12025550199


def test_another_number_takes_the_place_of_the_first(service, verify, api, path, alice):
    verify(alice)
    verify(alice, "+12025550199")
    assert api.get(path(alice)).json()["phoneNumber"] == "+12025550199"


def test_to_forget_it_leaves_what_is_shown(service, verify, api, path, alice):
    verify(alice)
    assert api.delete(path(alice)).json() == {"count": "1 verified number forgotten"}
    assert api.get(path(alice)).json() == {"phoneNumber": None, "verifiedAt": None}
    assert api.get(f"/api/users/{alice.pk}").json()["phoneNumber"] == int(NUMBER)
    assert api.delete(path(alice)).json() == {"count": "0 verified numbers forgotten"}


def test_it_is_forgotten_only_if_it_is_still_the_one_that_was_read(service, verify, api, path, alice):
    verify(alice)
    read = api.get(path(alice))["ETag"]
    verify(alice, "+12025550199")
    assert api.delete(path(alice), headers={"If-Match": read}).status_code == 412
    assert ours(VerifiedNumber).get().number == "+12025550199"


# A landline


@pytest.fixture
def told():
    heard = []

    def hear(sender, people, newcomer, ending, **kwargs):
        heard.append((people, newcomer.pk, ending))

    number_shared.connect(hear)
    yield heard
    number_shared.disconnect(hear)


def test_several_people_may_verify_one_number_and_those_before_are_told(
    service, verify, api, path, told, alice, bob, carol
):
    verify(carol, "+12025550199")
    first, second = verify(alice).json(), verify(bob).json()
    assert {name: first[name] for name in ("phoneNumber", "callStatus")} == {
        name: second[name] for name in ("phoneNumber", "callStatus")
    }
    assert told == [([alice.pk], bob.pk, "43")]
    assert VerifiedNumber.objects.filter(number=NUMBER).count() == 2


def test_of_each_newcomer_those_before_are_told(sandbox_verify, verify, run_jobs, alice, bob, carol):
    for user in (alice, bob, carol):
        verify(user)
    run_jobs()
    assert sorted(ours(SandboxEmail).values_list("to", flat=True)) == [alice.email, alice.email, bob.email]


def test_they_are_told_by_the_ways_they_chose_and_once(sandbox_verify, verify, api, path, run_jobs, alice, bob):
    verify(alice)
    verify(bob)
    api.delete(path(bob))
    verify(bob)
    run_jobs()
    told = ours(SandboxEmail).get()
    assert told.to == alice.email
    assert "Somebody else has verified the number ending in 43 as theirs." in told.text


def test_who_has_forgotten_it_meanwhile_is_not_told(sandbox_verify, verify, api, path, run_jobs, alice, bob):
    verify(alice)
    verify(bob)
    api.delete(path(alice))
    run_jobs()
    assert not ours(SandboxEmail).exists()


def test_nor_is_who_has_another_number_by_then(sandbox_verify, verify, run_jobs, alice, bob):
    verify(alice)
    verify(bob)
    verify(alice, "+12025550199")
    run_jobs()
    assert not ours(SandboxEmail).exists()


def test_who_verifies_their_own_again_tells_nobody(service, verify, told, alice, bob):
    verify(alice)
    verify(bob)
    verify(bob)
    assert len(told) == 1


def test_no_answer_says_that_a_number_is_somebodys(sandbox_verify, start, verify, alice, bob, carol):
    verify(alice)
    mine, others = start(bob).json(), start(carol, "+12025550199").json()
    assert mine.keys() == others.keys()


def test_it_goes_with_its_person(service, verify, start, alice):
    verify(alice)
    start(alice)
    User.objects.get(pk=alice.pk).delete()
    assert not ours(VerifiedNumber).exists()
    assert not ours(PendingVerification).exists()
