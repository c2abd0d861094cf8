"""What captions cost: held, charged beside the call, and off before the money is used up."""

from datetime import timedelta

import pytest
from django.utils import timezone

from billing.ledger import account_of, set_balance
from billing.models import LedgerEntry
from tests.voice.captions.conftest import hear, path, talk, turn  # noqa: F401  # fixtures
from voice.credit.audit import prove_charges
from voice.credit.captions import end_captions_without_money
from voice.credit.charges import post_price
from voice.credit.limits import CallCredit, Leg
from voice.models import Call, GroupCall, Transcription

RATE, CAPTIONS = 10_300, 27_000


def credit(minutes, *legs):
    return CallCredit(minutes * (RATE + CAPTIONS), legs, RATE, 5, CAPTIONS)


def captioned(seconds, minutes):
    return Leg(seconds, running=True, caption_minutes=minutes, is_captioned=True)


def test_a_captioned_leg_holds_and_costs_both():
    assert credit(10).time_limit(captions=True) == 10 * 60
    assert credit(10, captioned(0, 1)).free == 5 * (RATE + CAPTIONS)
    assert credit(10, captioned(0, 1)).minutes_left() == 9
    assert credit(1, captioned(0, 1)).is_used_up()
    assert not credit(2, captioned(0, 1)).is_used_up()


@pytest.mark.usefixtures("talk")
def test_they_are_an_entry_of_their_own_and_proved(twilio, group, alice, hear):  # noqa: F811
    now = timezone.now()
    set_balance(user=alice, balance_micros=10_000_000, memo="")
    hear("Hello.", 1)
    Transcription.objects.update(started_at=now - timedelta(seconds=700))
    twilio("/api/voice/callEvents", CallSid="CA1", CallStatus="completed", CallDuration="800")
    call = Call.objects.get(sid="CA1")
    Call.objects.filter(pk=call.pk).update(payer=account_of(alice), end_time=now)
    Transcription.objects.filter(call=call).update(stopped_at=now)
    call.refresh_from_db()
    post_price(call, -8_500, now=now)
    post_price(call, -8_500, now=now)
    entry = LedgerEntry.objects.get(reference="twilio:CA1:captions")
    assert (entry.amount_micros, entry.memo) == (-12 * CAPTIONS, "Captions, 12 min, in Family")
    assert not differences()


def differences():
    return [(each.check, each.wrong) for each in prove_charges(lambda _: None) if each.wrong]


@pytest.fixture
def short(settings, alice):
    """Money for so many minutes of two captioned phones."""
    settings.MIN_CALL_BALANCE = 1

    def short(minutes):
        Call.objects.update(payer=account_of(alice), created_at=timezone.now())
        set_balance(user=alice, balance_micros=(minutes * 2 + 2) * (RATE + CAPTIONS), memo="")

    return short


@pytest.mark.usefixtures("talk")
def test_where_the_money_is_short_it_is_said_and_then_they_go_off(short):
    now = timezone.now()
    short(9)
    end_captions_without_money(now=now)
    assert GroupCall.objects.get().captions_warned_at is None
    short(4)
    end_captions_without_money(now=now)
    assert GroupCall.objects.get().captions_warned_at == now
    short(3)
    end_captions_without_money(now=now + timedelta(seconds=30))
    assert GroupCall.objects.get().captions
    end_captions_without_money(now=now + timedelta(seconds=60))
    assert not GroupCall.objects.get().captions


def test_who_cannot_pay_a_hold_of_them_is_told_so(leg, tell, turn, group, alice, bob, settings):  # noqa: F811
    settings.MIN_CALL_BALANCE = 1
    set_balance(user=alice, balance_micros=2 * 5 * RATE + 1, memo="")
    for number, user in enumerate((alice, bob), 1):
        leg(user, f"CA{number}")
        tell(number, "participant-join", f"CA{number}")
    assert turn(on=True, expected=402)["code"] == "not_enough_credit"
    set_balance(user=alice, balance_micros=2 * 5 * (RATE + CAPTIONS), memo="")
    assert turn(on=True)["on"]
