"""Prices and durations that cannot be: kept aside for staff, and settled as if none had come."""

from datetime import timedelta

import pytest
from django.utils import timezone

from billing.ledger import set_balance
from billing.models import LedgerEntry
from voice.conferences.reconciliation import reconcile_calls
from voice.credit.prices import sync_prices
from voice.models import Call

RATE = 10_300
PRICES = ["+2.10", "0.01", "-99999", "-1.71", "NaN", "-Infinity", "-1e999999", "free", "", "-0,017", True, [], {"a": 1}]
DURATIONS = ["-61", "61.5", "NaN", "a minute", "٦١", "14461", "9" * 30, "1e3", "0x3D"]


@pytest.fixture
def let_in(twilio_telephony, twilio_double, twilio, group, alice):
    """Somebody is let in at Alice's cost, who has $5, 61 seconds ago; the call at Twilio."""
    set_balance(user=alice, balance_micros=5_000_000, memo="")
    sid = twilio_double.call()
    twilio("/api/voice/makeCall", to=group.pk, From="client:x", CallSid=sid)
    Call.objects.update(created_at=timezone.now() - timedelta(seconds=61))
    twilio_double.calls[sid].update(start_time=None, end_time=None)
    return twilio_double.calls[sid]


@pytest.fixture
def end(twilio, let_in):
    def end(seconds="61"):
        twilio("/api/voice/callEvents", CallSid=let_in["sid"], CallStatus="completed", CallDuration=seconds)
        return Call.objects.get()

    return end


def wait(hours):
    for hour in range(hours + 1):
        sync_prices(now=timezone.now() + timedelta(hours=hour, minutes=3))


def charges():
    entries = LedgerEntry.objects.filter(kind="call").order_by("id")
    return [-micros for micros in entries.values_list("amount_micros", flat=True)]


# Prices


@pytest.mark.parametrize("price", PRICES)
def test_a_price_that_cannot_be_is_kept_aside_and_the_call_settled_at_our_own_rates(let_in, end, price):
    end()
    let_in["price"] = price
    wait(2)
    call = Call.objects.get()
    assert (call.price_micros, call.price_told, charges()) == (None, str(price), [])
    wait(25)
    assert charges() == [2 * RATE]


@pytest.mark.parametrize("price", PRICES)
def test_a_usable_price_takes_its_place(let_in, end, price):
    end()
    let_in["price"] = price
    wait(25)
    let_in["price"] = "-0.0200"
    wait(50)
    call = Call.objects.get()
    assert (call.price_micros, call.price_told, charges()) == (-20_000, "", [2 * RATE, 3_000])


@pytest.mark.parametrize("price", PRICES)
def test_a_usable_price_is_not_corrected_by_one_that_cannot_be(let_in, end, price):
    end()
    let_in["price"] = "-0.0170"
    wait(0)
    let_in["price"] = price
    wait(50)
    assert (Call.objects.get().price_micros, charges()) == (-17_000, [2 * RATE])


@pytest.mark.parametrize(("price", "micros"), [("-1.70", -1_700_000), ("0", 0), ("-0.00", 0), (-0.017, -17_000)])
def test_a_dear_call_and_one_for_nothing_are_charged_as_twilio_says(let_in, end, price, micros):
    end()
    let_in["price"] = price
    wait(0)
    assert (Call.objects.get().price_micros, charges()) == (micros, [3_600 - micros])


@pytest.mark.parametrize(("rate", "price"), [(0, "-1.70"), (8_500, "-1.70"), (20_000, "-4.00")])
def test_the_most_that_a_call_can_cost_is_a_hundred_times_our_rate_or_the_usual_one(
    let_in, end, settings, rate, price, caplog
):
    settings.CALL_RATE = rate
    end()
    let_in["price"] = f"{float(price) - 0.01:.2f}"
    wait(0)
    assert (Call.objects.get().price_micros, charges()) == (None, [])
    let_in["price"] = price
    wait(1)
    assert Call.objects.get().price_micros == int(float(price) * 10**6)


def test_a_longer_call_than_was_told_may_cost_as_much_as_a_longer_call(let_in, end):
    end()
    let_in.update(price="-24.00", duration="14400")
    wait(0)
    assert Call.objects.get().price_micros == -24_000_000


def test_prices_that_cannot_be_are_no_outage(let_in, end, twilio_double):
    end()
    let_in["price"] = "NaN"
    for _ in range(3):
        sid = twilio_double.call(price="NaN")
        Call.objects.create(sid=sid, status="completed", end_time=timezone.now(), price_due_at=timezone.now())
    last = twilio_double.call(price="-0.0170")
    Call.objects.create(
        sid=last, duration=61, end_time=timezone.now(), price_due_at=timezone.now() + timedelta(minutes=1)
    )
    assert sync_prices(now=timezone.now() + timedelta(minutes=3)).priced == 1


@pytest.mark.parametrize("price", ["+2.10", "-99999"])
def test_the_log_tells_the_operators(let_in, end, caplog, price):
    end()
    let_in["price"] = price
    wait(0)
    assert f"Call {let_in['sid']} has a price that cannot be: it is kept aside for staff" in caplog.messages


# Durations


@pytest.mark.parametrize("seconds", DURATIONS)
def test_a_duration_that_cannot_be_is_kept_aside_and_what_we_know_counts(let_in, end, seconds, caplog):
    let_in["duration"] = seconds
    call = end(seconds)
    assert (call.minutes, call.duration_told) == (2, seconds[:40])
    assert f"Call {let_in['sid']} has a duration that cannot be: it is kept aside for staff" in caplog.messages
    wait(25)
    assert charges() == [2 * RATE]


@pytest.mark.parametrize("seconds", DURATIONS)
def test_a_duration_that_can_be_takes_its_place(let_in, end, seconds):
    end(seconds)
    let_in["duration"] = "754"
    wait(25)
    call = Call.objects.get()
    assert (call.duration, call.duration_told, charges()) == (754, "", [13 * RATE])


@pytest.mark.parametrize("seconds", DURATIONS)
def test_the_same_goes_for_what_twilio_answers(let_in, seconds):
    let_in["duration"] = seconds
    reconcile_calls(now=timezone.now() + timedelta(minutes=3))
    call = Call.objects.get()
    assert (call.status, call.duration_told) == ("completed", seconds[:40])
    assert call.minutes == 5  # until it was asked
    wait(25)
    assert charges() == [5 * RATE]


@pytest.mark.parametrize("seconds", ["0", "14460"])
def test_the_shortest_and_the_longest_that_can_be_count(end, seconds):
    assert (end(seconds).duration, Call.objects.get().duration_told) == (int(seconds), "")


@pytest.mark.parametrize("seconds", DURATIONS)
def test_nobody_pays_for_a_call_that_was_not_answered(twilio, let_in, seconds):
    twilio("/api/voice/callEvents", CallSid=let_in["sid"], CallStatus="no-answer", CallDuration=seconds)
    call = Call.objects.get()
    assert (call.duration, call.duration_told, call.charged_micros) == (0, seconds[:40], 0)
