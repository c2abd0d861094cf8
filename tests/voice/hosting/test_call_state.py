"""How a group's call stands: who is on, by what, and what it costs."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from billing.ledger import set_balance
from billing.models import Dispute
from groups.models import Group, Ownership
from tests.access.conftest import invitee, member, owner, signed_in, stranger  # noqa: F401  # fixtures
from tests.neighbours import ours
from tests.voice.api.test_phone_callers import verify
from voice.models import Call, GroupCall

RATE = 10_300
HAPPENED = "Sun, 22 Nov 2026 10:00:00 +0000"
NOBODY = {
    "callStatus": False,
    "startedAt": None,
    "locked": False,
    "captions": False,
    "pricePerMinute": "0.0206",
    "minutesLeft": None,
    "participants": [],
    "unknownCallers": 0,
}


@pytest.fixture
def state(api, group):
    def state(of=group):
        answer = api.get(f"/api/groups/{of.pk}/call")
        assert answer.status_code == 200
        return answer.json()

    return state


@pytest.fixture
def phones(leg, tell, twilio, group):
    """Somebody joins by a phone, whose number is theirs, or by their app."""

    def phones(number, user, *, by="app", of=group):
        sid = f"CA{number}"
        caller = f"client:u_{user.pk}" if by == "app" else user.verified_number.number
        twilio("/api/voice/makeCall", to=of.pk, From=caller, CallSid=sid)
        tell(number, "participant-join", sid, FriendlyName=of.pk, conference=f"CF{of.pk}")
        return sid

    return phones


def test_where_nobody_is_on_it_says_what_two_would_pay(state):
    assert state() == NOBODY


def test_who_is_on_stands_there_by_what_they_joined_with(state, phones, alice, bob):
    verify(bob)
    phones(1, alice), phones(2, bob, by="phone")
    found = state()
    assert (found["callStatus"], found["unknownCallers"], found["pricePerMinute"]) == (True, 0, "0.0206")
    assert [(each["userId"], each["displayName"], each["by"], each["muted"]) for each in found["participants"]] == [
        (alice.pk, "Alice", "app", False),
        (bob.pk, "Bob", "phone", False),
    ]


def test_who_was_rung_by_their_app_is_on_by_it(state, phones, alice):
    phones(1, alice)
    ours(Call).update(caller="+12025550100", called=f"client:u_{alice.pk}")
    assert [each["by"] for each in state()["participants"]] == ["app"]


def test_times_are_those_that_twilio_tells(state, leg, tell, alice):
    leg(alice, "CA1")
    ours(Call).update(created_at=datetime(2026, 11, 22, 9, 59, tzinfo=UTC))
    tell(1, "participant-join", "CA1", Timestamp=HAPPENED)
    found = state()
    assert found["startedAt"] == found["participants"][0]["joinedAt"] == "2026-11-22T10:00:00.000Z"


def test_who_is_on_by_two_phones_stands_there_once(state, phones, tell, group, alice):
    first, second = phones(1, alice), phones(2, alice)
    assert [each["by"] for each in state()["participants"]] == ["app"]
    tell(3, "participant-mute", first, conference=f"CF{group.pk}")
    assert not state()["participants"][0]["muted"]
    tell(4, "participant-mute", second, conference=f"CF{group.pk}")
    assert state()["participants"][0]["muted"]


def test_a_phone_of_nobody_whom_we_know_is_counted(state, tell, alice):
    tell(1, "participant-join", "CA404")
    found = state()
    assert (found["participants"], found["unknownCallers"], found["pricePerMinute"]) == ([], 1, "0.0103")


def test_who_is_deleted_while_on_is_counted_and_not_named(state, phones, alice, bob):
    phones(1, alice), phones(2, bob)
    bob.delete()
    found = state()
    assert ([each["displayName"] for each in found["participants"]], found["unknownCallers"]) == (["Alice"], 1)


def test_who_has_left_is_on_no_more(state, phones, tell, group, alice):
    sid = phones(1, alice)
    tell(2, "participant-leave", sid, conference=f"CF{group.pk}")
    assert state() == NOBODY


def test_rows_that_clients_write_are_no_legs(state, api, group, alice):
    api.post(f"/api/groups/{group.pk}/callParticipants", {"userId": alice.pk})
    assert state()["participants"] == []


def test_a_group_that_nobody_pays_for_costs_nothing(state, db):
    assert (state(Group.objects.create(name="Nobody's"))["pricePerMinute"]) == "0.00"


@pytest.mark.usefixtures("_paid", "db")
def test_nor_does_its_money_end(state):
    assert state(Group.objects.create(name="Nobody's"))["minutesLeft"] is None


@pytest.fixture
def _paid(settings):
    settings.MIN_CALL_BALANCE = 500_000


@pytest.fixture
def money(_paid, alice):
    return lambda minutes: set_balance(user=alice, balance_micros=minutes * RATE, memo="")


@pytest.mark.parametrize(("minutes", "left"), [(0, 0), (4, 0), (100, 50), (101, 50), (2000, 1000)])
def test_before_a_call_it_says_how_long_two_could_talk(state, money, minutes, left):
    money(minutes)
    assert state()["minutesLeft"] == left


def test_of_captions_both_the_price_and_the_minutes_speak(state, money, group):
    money(100)
    GroupCall.objects.create(group=group, captions=True)
    assert (state()["pricePerMinute"], state()["minutesLeft"]) == ("0.0746", 100 * 10_300 // 74_600)


def test_during_a_call_it_says_how_long_those_who_are_on_can_talk_on(state, money, phones, alice, bob):
    money(100)
    phones(1, alice)
    assert (state()["minutesLeft"], state()["pricePerMinute"]) == (99, "0.0103")  # the minute that has begun is used
    phones(2, bob)
    assert (state()["minutesLeft"], state()["pricePerMinute"]) == (49, "0.0206")


def test_whom_nobody_knows_talks_on_by_the_same_money(state, money, phones, twilio, group, alice):
    money(100)
    phones(1, alice)
    ours(Call).update(user_id=None)
    assert (state()["unknownCallers"], state()["minutesLeft"]) == (1, 99)


def test_other_calls_of_the_same_payer_use_the_same_money(state, money, phones, alice):
    money(100)
    other = Group.objects.create(name="Work")
    Ownership.objects.create(group=other, user=alice)
    phones(1, alice, of=other)
    assert state()["minutesLeft"] == 99 // 3
    assert state(other)["minutesLeft"] == 99


def test_what_a_call_has_lasted_is_gone(state, money, phones, alice):
    money(100)
    phones(1, alice)
    ours(Call).update(created_at=timezone.now() - timedelta(minutes=30))
    assert state()["minutesLeft"] == 69
    ours(Call).update(created_at=timezone.now() - timedelta(minutes=99, seconds=10))
    assert state()["minutesLeft"] == 0


def test_where_no_call_can_start_no_minute_is_left(state, money, alice):
    money(100)
    Dispute.objects.create(pk="du_1", account=alice.account, payment="pi_1", amount_cents=100, status="needs_response")
    assert state()["minutesLeft"] == 0


@pytest.mark.parametrize(("name", "value"), [("MIN_CALL_BALANCE", 0), ("CALL_RATE", 0)])
def test_calls_that_need_no_money_have_no_end_by_it(state, money, settings, name, value):
    money(100)
    setattr(settings, name, value)
    settings.CONFERENCE_RATE = 0
    assert state()["minutesLeft"] is None


def test_a_debt_ends_every_call(state, alice, settings):
    settings.MIN_CALL_BALANCE = 0
    set_balance(user=alice, balance_micros=-1, memo="")
    assert state()["minutesLeft"] == 0


def test_it_takes_a_bounded_number_of_queries(state, phones, django_assert_max_num_queries, alice, bob):
    phones(1, alice), phones(2, bob)
    with django_assert_max_num_queries(13):  # two of them ask for captions
        state()


def test_owners_and_members_see_it_and_nobody_else(owner, member, invitee, stranger, group):  # noqa: F811
    path = f"/api/groups/{group.pk}/call"
    assert [client.get(path).status_code for client in (owner, member, invitee, stranger)] == [200, 200, 403, 404]


def test_an_unchanged_call_is_an_empty_304(api, group):
    etag = api.get(f"/api/groups/{group.pk}/call")["ETag"]
    assert api.get(f"/api/groups/{group.pk}/call", headers={"If-None-Match": etag}).status_code == 304
