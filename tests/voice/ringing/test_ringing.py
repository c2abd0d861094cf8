"""Ringing people to come to the call, up to what it comes to."""

from datetime import timedelta
from io import StringIO
from itertools import permutations

import pytest
from django.core.management import call_command
from django.utils import timezone

from billing.ledger import account_of, post_entry
from billing.models import LedgerEntry
from core.jobs.worker import do_all
from groups.models import Group, Membership, Ownership, Participant, Ring
from tests.doubles.twilio import error
from tests.neighbours import ours
from tests.voice.ringing.conftest import BOBS
from users.models import LimitCount, User, VerifiedNumber
from voice.credit.call_credit import held_by_calls
from voice.models import Call, GroupCall, HangUp
from voice.ring_outcomes import stop_rings


@pytest.fixture
def both(app, verify, bob):
    app(bob)
    verify(bob)


def test_the_app_and_the_telephone_ring_at_once(rings, ringing, both, bob, lines, state):
    answer = rings(bob)
    assert answer == {"ringing": [{"userId": bob.pk, "by": ["app", "phone"]}], "skipped": []}
    assert ringing().keys() == {f"client:u_{bob.pk}", BOBS}
    assert {each.made["Timeout"] for each in ringing().values()} == {"45"}
    assert (state(bob), lines()) == ("ringing", ["is being called to join"])


def test_who_answers_hears_what_it_is_twice_and_presses_1(rings, ringing, both, bob, group, state, lines):
    rings(bob)
    phone = ringing()[BOBS].answer()
    assert phone.heard == ["Somebody is calling in the group Family.", "Press 1 to join."] * 2
    assert phone.gather.get("timeout") == "20"
    phone.press("1")
    assert phone.group_id == group.pk
    assert phone.heard[-1].startswith("Press star")
    assert state(bob) == "joined"
    assert lines()[-1] == "has picked up and joined the call"


def test_an_app_that_was_rung_has_no_keys_to_press_on_the_call(rings, ringing, both, bob, group):
    """A telephone hears of its menu; an app has buttons."""
    rings(bob)
    app = ringing()[f"client:u_{bob.pk}"].answer().press("1")
    assert (app.group_id, app.action) == (group.pk, None)


@pytest.mark.parametrize("captions", [True, False])
def test_who_joins_is_greeted_in_the_groups_language(rings, ringing, both, bob, group, captions):
    GroupCall.objects.create(group=group, language="de-DE", captions=captions)
    rings(bob)
    assert ringing()[BOBS].answer().press("1").languages == {"de-DE"}


def test_who_joins_is_told_that_captions_are_on(rings, ringing, both, bob, group):
    GroupCall.objects.create(group=group, captions=True)
    rings(bob)
    phone = ringing()[BOBS].answer().press("1")
    assert phone.group_id == group.pk
    assert "Captions are on: what is said is written down, so that others can read it." in phone.heard


def test_the_first_answer_wins_and_the_other_phone_stops(rings, ringing, both, bob, twilio_double):
    rings(bob)
    app, phone = ringing()[f"client:u_{bob.pk}"], ringing()[BOBS]
    app.answer()
    phone.answer().press("1")
    assert app.press("1").heard == ["This call is over. Goodbye."]
    do_all()
    assert twilio_double.calls[app.made["sid"]]["status"] == "completed"
    assert twilio_double.calls[phone.made["sid"]]["status"] != "completed"


def test_of_two_people_who_are_rung_both_may_join(rings, ringing, verify, alice, bob, group, state):
    verify(bob)
    verify(alice, "+12025550111")
    rings(alice, bob)
    for phone in ringing().values():
        assert phone.answer().press("1").group_id == group.pk
    assert (state(alice), state(bob)) == ("joined", "joined")


def test_twilio_asks_again_and_hears_the_same(rings, ringing, both, bob):
    rings(bob)
    phone = ringing()[BOBS].answer()
    address = phone.gather.get("action")
    labels = {phone.ask(address, Digits="1").conference.get("participantLabel") for _ in range(3)}
    assert len(labels) == 1


@pytest.mark.parametrize("status", ["no-answer", "failed", "canceled"])
def test_no_answer_is_no_answer_and_costs_nothing(rings, ringing, verify, bob, alice, state, status):
    verify(bob)
    rings(bob)
    assert held_by_calls(account_of(alice)) > 0
    ringing()[BOBS].ends(status)
    assert state(bob) == "noAnswer"
    assert held_by_calls(account_of(alice)) == 0
    leg = ours(Call).get()
    assert (leg.direction, leg.price_micros, leg.charged_micros) == ("outbound-api", 0, 0)


def test_a_busy_line_declines(rings, ringing, verify, bob, state):
    verify(bob)
    rings(bob)
    ringing()[BOBS].ends("busy")
    assert state(bob) == "declined"


def test_who_lays_the_receiver_down_declines(rings, ringing, verify, bob, state):
    verify(bob)
    rings(bob)
    ringing()[BOBS].answer().ends("completed", 4)
    assert state(bob) == "declined"


def test_another_key_declines_for_all_phones(rings, ringing, both, bob, state, twilio_double):
    rings(bob)
    phone = ringing()[BOBS].answer().press("2")
    assert phone.heard == ["You have not joined. Goodbye."]
    assert state(bob) == "declined"
    do_all()
    assert twilio_double.calls[ringing()[f"client:u_{bob.pk}"].made["sid"]]["status"] == "completed"


def test_a_machine_presses_nothing_and_does_not_join(rings, ringing, verify, bob, state, lines):
    verify(bob)
    rings(bob)
    phone = ringing()[BOBS].answer().wait()
    assert (phone.is_over, phone.conference) == (True, None)
    assert (state(bob), lines()[-1]) == ("noAnswer", "has not answered the call")  # before its end is told
    phone.ends("completed", 40)
    assert (state(bob), lines()[-1]) == ("noAnswer", "has not answered the call")


def test_who_presses_nothing_on_one_phone_and_lets_the_other_ring_has_not_answered(rings, ringing, both, bob, state):
    rings(bob)
    ringing()[BOBS].answer().wait().ends("completed", 40)
    assert state(bob) == "ringing"
    ringing()[f"client:u_{bob.pk}"].ends("no-answer")
    assert state(bob) == "noAnswer"


def test_a_busy_line_leaves_the_app_ringing(rings, ringing, both, bob, state):
    rings(bob)
    ringing()[BOBS].ends("busy")
    assert state(bob) == "ringing"
    ringing()[f"client:u_{bob.pk}"].answer().press("1")
    assert state(bob) == "joined"


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_all_orders_of_what_twilio_tells_come_to_the_same(rings, ringing, both, bob, state, lines, order):
    rings(bob)
    phone, app = ringing()[BOBS], ringing()[f"client:u_{bob.pk}"]
    told = [
        lambda: phone.ends("busy"),
        lambda: app.ends("no-answer"),
        lambda: phone.ends("busy"),
        lambda: app.ends("no-answer"),
    ]
    for place in order:
        told[place]()
    assert (state(bob), lines()) == ("declined", ["is being called to join", "has declined the call"])


def test_the_lock_of_the_moment_holds(rings, ringing, verify, bob, group, state):
    verify(bob)
    rings(bob)
    phone = ringing()[BOBS].answer()
    GroupCall.objects.create(group=group, locked=True)
    phone.press("1")
    assert "is locked" in phone.words
    assert (phone.conference, state(bob)) == (None, "noAnswer")


def test_who_has_lost_their_place_is_not_let_in(rings, ringing, verify, bob, group):
    verify(bob)
    rings(bob)
    phone = ringing()[BOBS].answer()
    Membership.objects.filter(user=bob).delete()
    assert phone.press("1").heard == ["The group has changed at this moment. Please call again."] * 2


def test_nor_is_who_is_disabled(rings, ringing, verify, bob):
    verify(bob)
    rings(bob)
    phone = ringing()[BOBS].answer()
    User.objects.filter(pk=bob.pk).update(is_active=False)
    assert phone.press("1").heard == ["Your account is disabled. Please ask the operator."] * 2


def test_who_is_let_in_by_one_phone_and_declines_by_the_other_has_joined(rings, ringing, both, bob, state):
    """Both at the same moment."""
    rings(bob)
    phone = ringing()[BOBS].answer()
    ours(Call).exclude(called=BOBS).update(ring_answer="joined")
    phone.press("2")
    assert state(bob) == "joined"


@pytest.mark.alone
def test_by_the_second_phone_nobody_is_let_in_while_they_are_by_the_first(rings, ringing, both, bob, state):
    rings(bob)
    phone = ringing()[BOBS].answer()
    Call.objects.exclude(called=BOBS).update(ring_answer="pressed")
    assert phone.press("1").heard == ["This call is over. Goodbye."]
    assert state(bob) == "ringing"


@pytest.mark.parametrize("said", ["pressed", "refused", "declined", "no_key"])
def test_who_has_answered_on_one_phone_is_not_cut_off_when_the_others_are_stopped(rings, verify, bob, group, said):
    verify(bob)
    rings(bob)
    ours(Call).update(ring_answer=Call.RingAnswer[said.upper()])
    stop_rings(group.pk)
    assert not ours(HangUp).exists()
    ours(Call).update(ring_answer="")
    stop_rings(group.pk)
    assert ours(HangUp).count() == 1


def test_a_phone_whose_call_has_ended_is_asked_nothing(rings, ringing, both, bob):
    rings(bob)
    phone = ringing()[BOBS].ends("busy")
    phone.is_over = False
    assert phone.answer().heard == ["This call is over. Goodbye."]


def test_a_call_that_all_have_left_rings_nobody_any_more(
    rings, ringing, verify, bob, line, alice, twilio_double, tell, state
):
    """Who picks up as it is stopped has not laid the receiver down."""
    verify(bob)
    line.join(alice)
    rings(bob)
    tell(2, "participant-leave", line.sids["Alice"])
    tell(3, "conference-end")
    do_all()
    (made,) = twilio_double.rings
    assert twilio_double.calls[made["sid"]]["status"] == "completed"
    ringing()[BOBS].ends("completed", 4)
    assert state(bob) == "noAnswer"


def test_who_joins_otherwise_is_rung_no_more(rings, verify, bob, line, twilio_double):
    verify(bob)
    rings(bob)
    line.join(bob)
    do_all()
    (made,) = twilio_double.rings
    assert twilio_double.calls[made["sid"]]["status"] == "completed"


@pytest.fixture
def elsewhere(api, group, bob, verify, app, twilio_telephony):
    """Bob is rung in another group, by his app."""
    choir = Group.objects.create(name="Choir")
    Membership.objects.create(group=choir, user=bob)
    app(bob)
    api.post(f"/api/groups/{choir.pk}/ring", {"userIds": [bob.pk]}, format="json")
    do_all()
    return choir


def test_whom_else_is_rung_goes_on_being_rung(elsewhere, rings, verify, alice, bob, dave, group, line, twilio_double):
    """Others in the group when one has joined, and whoever is rung in another one."""
    Membership.objects.create(group=group, user=dave)
    verify(bob)
    verify(dave, "+12025550144")
    rings(bob, dave)
    line.join(alice)
    line.join(bob)
    do_all()
    status = {each["To"]: twilio_double.calls[each["sid"]]["status"] for each in twilio_double.rings}
    assert status == {f"client:u_{bob.pk}": "queued", BOBS: "completed", "+12025550144": "queued"}
    assert line.ended() == []
    assert Ring.objects.get(group=elsewhere).state == "ringing"
    line.tell(3, "conference-end")
    do_all()
    status = {each["To"]: twilio_double.calls[each["sid"]]["status"] for each in twilio_double.rings}
    assert status == {f"client:u_{bob.pk}": "queued", BOBS: "completed", "+12025550144": "completed"}


def test_who_is_in_two_groups_joins_the_one_in_which_it_rings(elsewhere, rings, ringing, verify, bob, group):
    verify(bob)
    rings(bob)
    assert ringing()[BOBS].answer().press("1").group_id == group.pk
    assert ringing()[f"client:u_{bob.pk}"].answer().press("1").group_id == elsewhere.pk


def test_who_is_let_in_is_shown_as_on_by_telephone(rings, ringing, verify, bob, tell, api, group):
    verify(bob)
    rings(bob)
    phone = ringing()[BOBS].answer().press("1")
    tell(1, "participant-join", phone.made["sid"])
    (person,) = api.get(f"/api/groups/{group.pk}/call").json()["participants"]
    assert (person["userId"], person["by"]) == (bob.pk, "phone")


# Whom it rings


def test_all_others_who_are_not_on_the_call_are_rung(rings, verify, alice, bob, group):
    verify(bob)
    verify(alice, "+12025550124")
    Participant.objects.create(group=group, user=alice)
    answer = rings()
    assert answer == {
        "ringing": [{"userId": bob.pk, "by": ["phone"]}],
        "skipped": [{"userId": alice.pk, "why": "onCall"}],
    }


def test_who_is_on_another_groups_call_is_rung_and_who_has_left_this_one(
    rings, verify, alice, bob, dave, line, twilio, tell, group
):
    choir = Group.objects.create(name="Choir")
    Membership.objects.create(group=group, user=dave)
    verify(bob), verify(dave, "+12025550144")
    twilio("/api/voice/makeCall", to=choir.pk, From=f"client:u_{dave.pk}", CallSid="CA9")
    tell(1, "participant-join", "CA9", conference="CF9", FriendlyName=choir.pk)
    line.join(alice), line.join(bob)
    tell(3, "participant-leave", line.sids["Bob"])
    assert [each["userId"] for each in rings(bob, dave)["ringing"]] == [bob.pk, dave.pk]


def test_who_has_a_leg_on_the_call_is_on_it_whatever_the_list_says(rings, verify, bob, line):
    verify(bob)
    line.join(bob)
    ours(Participant).all().delete()
    assert rings(bob)["skipped"] == [{"userId": bob.pk, "why": "onCall"}]


@pytest.mark.parametrize(
    ("number", "why"), [("+442071234567", "country"), ("+19005550123", "country"), (None, "noWay")]
)
def test_why_somebody_is_not_rung(rings, verify, bob, number, why, twilio_double):
    if number:
        verify(bob, number)
    assert rings(bob) == {"ringing": [], "skipped": [{"userId": bob.pk, "why": why}]}
    assert not twilio_double.rings


def test_a_country_that_the_operator_allows_is_rung(rings, verify, bob, settings):
    settings.RING_COUNTRIES = ["GB"]
    verify(bob, "+442071234567")
    assert rings(bob)["ringing"]


def test_who_is_ringing_is_not_rung_once_more(rings, verify, bob, twilio_double):
    verify(bob)
    rings(bob)
    assert rings(bob)["skipped"] == [{"userId": bob.pk, "why": "alreadyRinging"}]
    assert len(twilio_double.rings) == 1


def test_a_landline_of_two_rings_for_one_of_them(rings, verify, alice, bob):
    verify(alice)
    verify(bob)
    answer = rings(alice, bob)
    assert [each["userId"] for each in answer["ringing"]] == [alice.pk]
    assert answer["skipped"] == [{"userId": bob.pk, "why": "alreadyRinging"}]


def test_a_locked_call_rings_nobody(rings, verify, bob, group):
    verify(bob)
    GroupCall.objects.create(group=group, locked=True)
    assert rings(bob)["skipped"] == [{"userId": bob.pk, "why": "locked"}]


def test_who_is_disabled_has_no_way(rings, verify, bob):
    verify(bob)
    bob.is_active = False
    bob.save()
    assert rings(bob)["skipped"] == [{"userId": bob.pk, "why": "noWay"}]


def test_somebody_of_no_group_of_theirs_is_refused(rings, dave, carol):
    for each in (dave, carol):
        assert rings(each, expected=400)["code"] == "not_a_member"


@pytest.mark.parametrize("body", [{"userIds": []}, {"userIds": "x"}, {"userIds": ["x"]}, {"userIds": [1.5]}, []])
def test_what_names_nobody_is_refused(api, group, body, sandbox_telephony):
    assert api.post(f"/api/groups/{group.pk}/ring", body, format="json").status_code == 400


def test_a_hundred_are_rung_at_once_and_no_more(api, group, sandbox_telephony):
    codes = [
        api.post(f"/api/groups/{group.pk}/ring", {"userIds": [*range(7, 7 + many)]}, format="json").json()["code"]
        for many in (100, 101)
    ]
    assert codes == ["not_a_member", "invalid"]


# Limits and money


def test_a_person_rings_ten_times_an_hour(rings, ringing, verify, bob):
    verify(bob)
    for number in range(10):
        rings(bob)
        list(ringing().values())[-1].ends("no-answer")
        assert ours(Ring).get().state == "noAnswer", number
    refused = rings(bob, expected=429)
    assert refused["code"] == "throttled"


def test_who_rings_too_often_is_told_when_the_first_place_is_free(rings, ringing, verify, api, group, bob):
    verify(bob)
    for _ in range(10):
        rings(bob)
        list(ringing().values())[-1].ends("no-answer")
    for row in LimitCount.objects.filter(limit="ring_person"):
        row.taken[0] -= 1800
        row.save()
    answer = api.post(f"/api/groups/{group.pk}/ring", {"userIds": [bob.pk]}, format="json")
    assert (answer.status_code, 1700 <= int(answer["Retry-After"]) <= 1800) == (429, True)


def test_a_refusal_uses_up_no_turn(rings, verify, bob, dave):
    verify(bob)
    for _ in range(12):
        rings(dave, expected=400)
    assert rings(bob)["ringing"]


def test_sixty_people_of_a_group_are_rung_an_hour(rings, group, make_person, verify):
    people = [make_person(f"P{number}") for number in range(70)]
    for number, each in enumerate(people):
        Membership.objects.create(group=group, user=each)
        verify(each, f"+1202555{1000 + number}")
    answer = rings(*people, jobs=False)
    assert len(answer["ringing"]) == 60
    assert {each["why"] for each in answer["skipped"]} == {"limit"}
    assert len(answer["skipped"]) == 10


def test_who_cannot_be_rung_takes_nobodys_turn(rings, group, make_person, verify):
    people = [make_person(f"P{number}") for number in range(61)]
    Membership.objects.bulk_create(Membership(group=group, user=each) for each in people)
    verify(people[-1])
    answer = rings(*people, jobs=False)
    assert [each["userId"] for each in answer["ringing"]] == [people[-1].pk]
    assert {each["why"] for each in answer["skipped"]} == {"noWay"}


@pytest.fixture
def make_person(db):
    from tests.conftest import person

    return person


def test_a_stolen_account_has_120_people_rung_at_one_payers_cost(api, alice, twilio_telephony):
    """As docs/decisions/ringing.md derives it: in however many groups of theirs."""
    rung = 0
    for number in range(3):
        group = Group.objects.create(name="Family")
        Ownership.objects.create(group=group, user=alice)
        names = [f"{number}-{place}" for place in range(45)]
        people = User.objects.bulk_create(User(email=f"{name}@example.com", display_name=name) for name in names)
        Membership.objects.bulk_create(Membership(group=group, user=each) for each in people)
        VerifiedNumber.objects.bulk_create(
            VerifiedNumber(user=each, number=f"+1202555{1000 + 45 * number + place}", verified_at=timezone.now())
            for place, each in enumerate(people)
        )
        body = {"userIds": [each.pk for each in people]}
        rung += len(api.post(f"/api/groups/{group.pk}/ring", body, format="json").json()["ringing"])
    assert rung == 120


def test_what_twilio_charges_for_a_ring_that_nobody_answered_is_charged(rings, ringing, verify, bob, twilio_double):
    verify(bob)
    rings(bob)
    phone = ringing()[BOBS].ends("no-answer")
    twilio_double.calls[phone.made["sid"]].update(price="-0.0100", start_time=None, end_time=None)
    for _ in range(2):
        ours(Call).update(price_due_at=timezone.now())
        call_command("sync_call_prices", stdout=StringIO())
    assert list(ours(LedgerEntry).values_list("amount_micros", flat=True)) == [-10_000]


def test_nobody_is_rung_without_money(rings, verify, bob, settings, twilio_double):
    settings.MIN_CALL_BALANCE = 500_000
    verify(bob)
    assert rings(bob, expected=402)["code"] == "not_enough_credit"
    assert not ours(Ring).exists()
    assert not twilio_double.rings


def test_money_for_one_phone_rings_one(rings, both, bob, alice, settings):
    settings.MIN_CALL_BALANCE = 10_000
    hold = settings.HOLD_MINUTES * (settings.CALL_RATE + settings.CONFERENCE_RATE)
    post_entry(account=account_of(alice), kind="top_up", amount_micros=hold + 1, reference="stripe:pi_1", memo="")
    assert rings(bob)["ringing"] == [{"userId": bob.pk, "by": ["app"]}]
    assert held_by_calls(account_of(alice)) == hold


# Faults


def test_a_number_that_twilio_refuses_has_not_answered(rings, verify, bob, state, settings, twilio_double):
    verify(bob)
    twilio_double.fail_next(error(400, 21215, "Account not authorized to call this country"))
    rings(bob)
    assert state(bob) == "noAnswer"


def test_nobody_is_rung_minutes_later(rings, verify, bob, state, twilio_double):
    verify(bob)
    rings(bob, jobs=False)
    ours(Call).update(created_at=timezone.now() - timedelta(minutes=1))
    do_all()
    assert (state(bob), twilio_double.rings) == ("noAnswer", [])
