"""What a payer's running calls hold, through makeCall."""

from datetime import timedelta
from xml.etree import ElementTree

import pytest
from django.utils import timezone

from billing.ledger import account_of, set_balance
from billing.models import Dispute
from groups.models import Group, Ownership
from tests.neighbours import ours
from voice.credit.prices import sync_prices
from voice.models import Call, GroupCall

RATE, CAPTIONS = 10_300, 27_000


@pytest.fixture(autouse=True)
def _paid(settings):
    settings.MIN_CALL_BALANCE = 500_000


@pytest.fixture
def money(alice):
    """Gives Alice money for so many minutes."""
    return lambda minutes, user=alice: set_balance(user=user, balance_micros=minutes * RATE, memo="")


@pytest.fixture
def ask(twilio, group):
    """Asks to be let in: the limit in minutes, or the refusal."""

    def ask(sid, into=group):
        twiml = ElementTree.fromstring(twilio("/api/voice/makeCall", to=into.pk, From="client:x", CallSid=sid).content)
        dial = twiml.find("Dial")
        return twiml.findtext("Say") if dial is None else int(dial.attrib["timeLimit"]) // 60

    return ask


@pytest.fixture
def end(twilio):
    def end(sid, seconds, status="completed"):
        twilio("/api/voice/callEvents", CallSid=sid, CallStatus=status, CallDuration=seconds)

    return end


@pytest.fixture
def work(alice):
    """Another group that Alice pays for."""
    group = Group.objects.create(name="Work")
    Ownership.objects.create(group=group, user=alice)
    return group


def test_where_captions_are_on_a_leg_needs_the_money_for_them_too(money, ask, group):
    money(100)
    GroupCall.objects.create(group=group, captions=True)
    assert ask("CA1") == 100 * RATE // (RATE + CAPTIONS)


def began(sid, **ago):
    Call.objects.filter(sid=sid).update(created_at=timezone.now() - timedelta(**ago))


def test_the_balance_is_shared_by_everybody_on(ask, money):
    money(100)
    assert [ask("CA1"), ask("CA2"), ask("CA3")] == [100, 49, 32]


def test_each_running_leg_holds_its_minutes(ask, money, settings):
    settings.HOLD_MINUTES = 30
    money(99)
    assert [ask("CA1"), ask("CA2"), ask("CA3")] == [99, 49, 32]
    assert "held by calls that are running" in ask("CA4")
    assert ours(Call).count() == 3


def test_a_payers_groups_share_the_balance(ask, money, work, settings):
    settings.HOLD_MINUTES = 60
    money(100)
    ask("CA1")
    assert "held by calls" in ask("CA2", into=work)


def test_another_payers_calls_hold_nothing_of_it(ask, money, bob):
    theirs = Group.objects.create(name="Bob's")
    Ownership.objects.create(group=theirs, user=bob)
    money(100)
    money(60, user=bob)
    ask("CA1", into=theirs)
    assert ask("CA2") == 100


def test_a_long_call_holds_the_minutes_that_it_has_lasted(ask, money):
    money(100)
    ask("CA1")
    began("CA1", minutes=90, seconds=1)
    assert ask("CA2") == 5
    began("CA1", minutes=96, seconds=1)
    assert "held by calls" in ask("CA3")


def test_who_joins_late_gets_what_is_left(ask, money):
    money(100)
    ask("CA1")
    began("CA1", minutes=39, seconds=1)
    assert ask("CA2") == 30


def test_a_leg_has_four_hours_at_most_and_one_without_end_holds_no_more(ask, money):
    money(1000)
    assert ask("CA1") == 240
    began("CA1", days=30)
    assert ask("CA2") == 240
    money(241 + 5)
    Call.objects.filter(sid="CA2").delete()
    assert ask("CA3") == 5


def test_a_leg_that_ended_counts_its_own_minutes_until_its_price_is_charged(ask, end, money):
    money(100)
    ask("CA1")
    end("CA1", 61)
    assert ask("CA2") == 98
    end("CA2", 0)
    sync_prices(now=timezone.now() + timedelta(minutes=3))
    assert Call.objects.get(sid="CA1").price_micros
    assert ask("CA3") == 98


def test_a_leg_that_never_got_a_price_counts_its_own_minutes(ask, end, money):
    money(100)
    ask("CA1")
    end("CA1", 61)
    ours(Call).update(price_due_at=None)
    assert ask("CA2") == 98


@pytest.mark.parametrize("status", ["no-answer", "failed", "busy", "canceled"])
def test_a_leg_that_came_to_nothing_counts_nothing(ask, end, money, status):
    money(100)
    ask("CA1")
    end("CA1", 0, status)
    assert ask("CA2") == 100


def test_what_ended_calls_have_used_up_is_no_credit(ask, end, money):
    money(60)
    ask("CA1")
    end("CA1", 20 * 60)
    assert "not enough credit" in ask("CA2")


def test_a_balance_below_one_hold_is_not_enough_credit(ask, money, settings):
    settings.MIN_CALL_BALANCE = 1
    money(4)
    assert "not enough credit" in ask("CA1")


def test_asking_again_holds_once_and_gives_the_same_limit(ask, money, settings):
    settings.HOLD_MINUTES = 50
    money(100)
    ask("CA1")
    limits = [ask("CA2"), ask("CA2"), ask("CA2")]
    assert (limits, ours(Call).count()) == ([50] * 3, 2)


def test_a_leg_whose_events_came_first_holds_too(ask, money, tell):
    money(100)
    tell(1, "participant-join", "CA1")
    assert ask("CA1") == 100
    assert ask("CA2") == 49


def test_a_leg_whose_events_came_first_is_refused_too(ask, money, tell, settings):
    settings.HOLD_MINUTES = 60
    money(100)
    ask("CA1")
    tell(1, "participant-join", "CA2")
    assert "held by calls" in ask("CA2")
    assert Call.objects.get(sid="CA2").payer is None


def test_a_question_by_hand_holds_nothing(ask, money):
    money(100)
    assert (ask(""), ask("")) == (100, 100)


def test_without_a_least_balance_nothing_is_held_or_limited(ask, settings):
    settings.MIN_CALL_BALANCE = 0
    assert [ask("CA1"), ask("CA2")] == [240, 240]


def test_calls_that_cost_nothing_are_limited_by_time_alone(ask, money, settings):
    settings.CALL_RATE = settings.CONFERENCE_RATE = 0
    money(100)
    assert [ask("CA1"), ask("CA2")] == [240, 240]


def test_a_group_that_nobody_owns_is_not_limited(ask, db):
    nobodys = Group.objects.create(name="Nobody's")
    assert [ask("CA1", into=nobodys), ask("CA2", into=nobodys)] == [240, 240]


@pytest.mark.parametrize("least", [0, 500_000])
def test_while_a_payment_is_disputed_no_call_starts(ask, money, alice, settings, least):
    settings.MIN_CALL_BALANCE = least
    money(100)
    dispute = Dispute.objects.create(id="dp_1", account=account_of(alice), payment="pi_1", amount_cents=100)
    assert "disputed" in ask("CA1")
    dispute.settled = True
    dispute.save()
    assert isinstance(ask("CA1"), int)
