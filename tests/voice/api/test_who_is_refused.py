"""Who is refused a call holds no money, and a call that has ended is not begun again."""

import pytest

from billing.ledger import account_of, set_balance
from billing.models import Account
from groups.models import Ownership
from tests.neighbours import ours
from voice.credit.call_credit import held_by_calls
from voice.models import Call, HangUp


@pytest.fixture
def ask(twilio, group, settings):
    """What Twilio is to say, or that it is to dial."""
    settings.MIN_CALL_BALANCE = 500_000

    def ask(sid):
        return twilio("/api/voice/makeCall", to=group.pk, From="client:x", CallSid=sid).content.decode()

    return ask


@pytest.fixture
def money(alice):
    return lambda dollars: set_balance(user=alice, balance_micros=dollars * 1_000_000, memo="")


def ends(twilio, sid):
    twilio("/api/voice/callEvents", CallSid=sid, CallStatus="completed", CallDuration="61")


def test_a_request_that_is_sent_again_after_its_call_is_spoken_to(ask, money, twilio):
    money(10)
    assert "<Dial" in ask("CA1")
    assert "<Dial" in ask("CA1")
    ends(twilio, "CA1")
    assert "This call has ended" in ask("CA1")


def test_so_is_one_whose_end_was_told_before_it(ask, money, twilio):
    money(10)
    ends(twilio, "CA1")
    assert "This call has ended" in ask("CA1")
    assert ours(Call).get().payer  # who pays for it all the same


def test_who_is_refused_late_holds_nothing(ask, money, alice):
    Call.objects.create(sid="CA1")
    money(0)
    assert "not enough credit" in ask("CA1")
    assert (ours(Call).get().payer, held_by_calls(account_of(alice))) == (None, 0)


def test_who_is_refused_and_is_on_all_the_same_is_hung_up_on(ask, money, tell, alice, committed):
    for number, sid in enumerate(("CA1", "CA2"), 1):
        tell(number, "participant-join", sid)
    money(0)
    assert "not enough credit" in ask("CA1")
    assert list(ours(HangUp).values_list("call__sid", "why")) == [("CA1", "no_credit")]


def test_below_zero_no_call_starts_whatever_calls_need(ask, money, settings):
    settings.MIN_CALL_BALANCE = 0
    money(0)
    assert "<Dial" in ask("CA1")
    money(-1)
    assert "not enough credit" in ask("CA2")


def test_a_payers_end_ends_the_legs_that_they_pay(line, bob, group, alice, api, committed):
    line.join(bob)
    Ownership.objects.create(group=group, user=bob)
    with committed():
        api.delete(f"/api/users/{alice.pk}")
    assert line.ended() == ["Bob"]
    assert [each.why for each in ours(HangUp).all()] == ["payer_gone"]


def test_a_leg_that_nobody_pays_any_more_is_found_each_minute(line, bob, group, alice, reconcile):
    line.join(bob)
    Account.objects.filter(user=alice).update(user=None)
    reconcile()
    assert line.ended() == ["Bob"]
