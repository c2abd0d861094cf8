"""Prices and durations that cannot be: kept aside for staff, and settled as if none had come."""

from datetime import timedelta

import pytest
from django.utils import timezone

from billing.ledger import set_balance
from billing.models import LedgerEntry
from tests.doubles.twilio import written
from tests.neighbours import ours
from voice.conferences.reconciliation import reconcile_calls
from voice.credit.prices import sync_prices
from voice.models import Call

RATE = 10_300
PRICES = [
    "+2.10",
    "0.01",
    "0.000001",
    "-99999",
    "-1.71",
    "NaN",
    "-Infinity",
    "-1e999999",
    "free",
    "",
    "-0,017",
    True,
    [],
    {"a": 1},
]
NONE = ["-61", "61.5", "NaN", "a minute", "٦١", "14461", "9" * 30, "1e3", "0x3D"]
DURATIONS = [*NONE, "190", "300"]


@pytest.fixture
def let_in(twilio_telephony, twilio_double, twilio, group, alice):
    """Somebody is let in at Alice's cost, who has $5, 61 seconds ago; the call at Twilio."""
    set_balance(user=alice, balance_micros=5_000_000, memo="")
    sid = twilio_double.call()
    twilio("/api/voice/makeCall", to=group.pk, From="client:x", CallSid=sid)
    ours(Call).update(created_at=timezone.now() - timedelta(seconds=61))
    twilio_double.calls[sid].update(start_time=None, end_time=None)
    return twilio_double.calls[sid]


@pytest.fixture
def end(twilio, let_in):
    def end(seconds="61"):
        twilio("/api/voice/callEvents", CallSid=let_in["sid"], CallStatus="completed", CallDuration=seconds)
        return ours(Call).get()

    return end


def begun(**ago):
    """It was let in so long ago."""
    ours(Call).update(created_at=timezone.now() - timedelta(**ago))


def wait(hours):
    """Asks at the hours at which prices are due; `test_settling.py` asks each hour."""
    for hour in sorted({*range(min(hours, 2)), *range(0, hours, 6), hours}):
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
    call = ours(Call).get()
    assert (call.price_micros, call.price_told, charges()) == (None, str(price), [])
    wait(25)
    assert charges() == [2 * RATE]


@pytest.mark.parametrize(("price", "told"), [("-0.85", ""), ("-0.86", "-0.86")])
def test_of_a_call_of_one_minute_half_of_it_is_too_much(let_in, end, price, told):
    end("60")
    let_in.update(duration="60", price=price)
    wait(2)
    assert ours(Call).get().price_told == told


@pytest.mark.parametrize("price", PRICES)
def test_a_usable_price_takes_its_place(let_in, end, price):
    end()
    let_in["price"] = price
    wait(25)
    let_in["price"] = "-0.0200"
    wait(50)
    call = ours(Call).get()
    assert (call.price_micros, call.price_told, charges()) == (-20_000, "", [2 * RATE, 3_000])


@pytest.mark.parametrize("price", PRICES)
def test_a_usable_price_is_not_corrected_by_one_that_cannot_be(let_in, end, price):
    end()
    let_in["price"] = "-0.0170"
    wait(0)
    let_in["price"] = price
    wait(50)
    assert (ours(Call).get().price_micros, charges()) == (-17_000, [2 * RATE])


@pytest.mark.parametrize(("price", "micros"), [("-1.70", -1_700_000), ("0", 0), ("-0.00", 0), (-0.017, -17_000)])
def test_a_dear_call_and_one_for_nothing_are_charged_as_twilio_says(let_in, end, price, micros):
    end()
    let_in["price"] = price
    wait(0)
    assert (ours(Call).get().price_micros, charges()) == (micros, [3_600 - micros])


@pytest.mark.parametrize(("rate", "price"), [(0, "-1.70"), (8_500, "-1.70"), (20_000, "-4.00")])
def test_the_most_that_a_call_can_cost_is_a_hundred_times_our_rate_or_the_usual_one(
    let_in, end, settings, rate, price, caplog
):
    settings.CALL_RATE = rate
    end()
    let_in["price"] = f"{float(price) - 0.01:.2f}"
    wait(0)
    assert (ours(Call).get().price_micros, charges()) == (None, [])
    let_in["price"] = price
    wait(1)
    assert ours(Call).get().price_micros == int(float(price) * 10**6)


def test_a_longer_call_than_was_told_may_cost_as_much_as_a_longer_call(let_in, end):
    begun(hours=4)
    end()
    let_in.update(price="-24.00", duration="14400")
    wait(0)
    assert ours(Call).get().price_micros == -24_000_000


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


@pytest.mark.parametrize("seconds", ["61", "14400"])
def test_what_a_long_call_may_cost_a_short_one_may_not_whatever_it_says_of_itself(let_in, end, seconds):
    end()
    let_in.update(price="-24.00", duration=seconds)
    wait(25)
    assert (ours(Call).get().price_told, charges()) == ("-24.00", [2 * RATE])


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
    assert (
        f"Call {let_in['sid']} has a duration, start or end that cannot be: it is kept aside for staff"
        in caplog.messages
    )
    wait(25)
    assert charges() == [2 * RATE]


@pytest.mark.parametrize("seconds", DURATIONS)
def test_a_duration_that_can_be_takes_its_place(let_in, end, seconds):
    end(seconds)
    let_in["duration"] = "150"
    wait(25)
    call = ours(Call).get()
    assert (call.duration, call.duration_told, charges()) == (150, "", [3 * RATE])


@pytest.mark.parametrize("seconds", [*NONE, "600"])
def test_the_same_goes_for_what_twilio_answers(let_in, seconds):
    let_in["duration"] = seconds
    reconcile_calls(now=timezone.now() + timedelta(minutes=3))
    call = ours(Call).get()
    assert (call.status, call.duration_told) == ("completed", seconds[:40])
    assert call.minutes == 5  # until it was asked
    wait(25)
    assert charges() == [5 * RATE]


@pytest.mark.parametrize(("minutes", "seconds"), [(0, "0"), (0, "120"), (10, "720"), (300, "14460")], ids=str)
def test_the_shortest_and_the_longest_that_can_be_count(let_in, end, minutes, seconds):
    begun(minutes=minutes)
    assert (end(seconds).duration, ours(Call).get().duration_told) == (int(seconds), "")


@pytest.mark.parametrize("seconds", DURATIONS)
def test_nobody_pays_for_a_call_that_was_not_answered(twilio, let_in, seconds):
    twilio("/api/voice/callEvents", CallSid=let_in["sid"], CallStatus="no-answer", CallDuration=seconds)
    call = ours(Call).get()
    assert (call.duration, call.duration_told, call.charged_micros) == (0, seconds[:40], 0)


@pytest.mark.parametrize("seconds", ["300", "14400"])
def test_after_its_end_time_lengthens_no_call(let_in, end, seconds):
    """What was heard without a duration is asked for: it had ended by then."""
    end("")
    let_in["duration"] = seconds
    wait(25)
    assert (ours(Call).get().minutes, charges()) == (2, [2 * RATE])


def test_an_end_that_twilio_tells_bounds_its_own_duration(twilio, let_in):
    begun(hours=2)
    told = {"CallDuration": "3600", "Timestamp": written(timezone.now() - timedelta(minutes=119))}
    twilio("/api/voice/callEvents", CallSid=let_in["sid"], CallStatus="completed", **told)
    assert (ours(Call).get().minutes, ours(Call).get().duration_told) == (1, "3600")


def test_of_a_leg_that_never_asked_to_be_let_in_its_word_counts(twilio, let_in):
    twilio("/api/voice/callEvents", CallSid="CA9", CallStatus="completed", CallDuration="754")
    assert Call.objects.get(sid="CA9").duration == 754


# Times


@pytest.mark.parametrize("told", ["Mon, 01 Jan 2001 00:00:00 +0000", "Thu, 01 Jan 1970 00:00:00 +0000"])
def test_an_end_before_it_was_let_in_is_kept_aside_and_is_that_of_receipt(twilio, let_in, told):
    twilio("/api/voice/callEvents", CallSid=let_in["sid"], CallStatus="completed", CallDuration="61", Timestamp=told)
    call = ours(Call).get()
    assert (timezone.now() - call.end_time < timedelta(seconds=30), call.duration) == (True, 61)
    assert call.duration_told.startswith("end ")
    wait(2)
    assert charges() == []  # its price is waited for


def test_an_end_that_is_yet_to_come_is_kept_aside_and_is_that_of_receipt(twilio, let_in):
    told = written(timezone.now() + timedelta(hours=1))
    twilio("/api/voice/callEvents", CallSid=let_in["sid"], CallStatus="completed", CallDuration="61", Timestamp=told)
    call = ours(Call).get()
    assert (call.end_time <= timezone.now(), call.duration_told[:4]) == (True, "end ")


def test_a_start_before_it_was_let_in_is_kept_aside_and_lengthens_no_call(let_in):
    let_in.update(duration="", start_time="Mon, 01 Jan 2001 00:00:00 +0000")
    reconcile_calls(now=timezone.now() + timedelta(minutes=3))
    assert (ours(Call).get().minutes, ours(Call).get().duration_told) == (5, "start 2001-01-01 00:00:00")


def test_a_join_before_it_was_let_in_lengthens_no_call(let_in, end, tell):
    tell(1, "participant-join", let_in["sid"], Timestamp="Mon, 01 Jan 2001 00:00:00 +0000")
    assert end("").minutes < 3


def test_clocks_that_differ_a_little_are_no_fault(let_in):
    start, end = (timezone.now() + timedelta(seconds=seconds) for seconds in (-61 - 115, -115))
    let_in.update(start_time=written(start), end_time=written(end))
    reconcile_calls(now=timezone.now() + timedelta(minutes=3))
    assert (ours(Call).get().duration, ours(Call).get().duration_told) == (61, "")
