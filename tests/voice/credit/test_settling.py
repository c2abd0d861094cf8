"""Calls whose price does not come, comes late, comes in another unit, or is asked for in vain."""

from datetime import timedelta
from xml.etree import ElementTree

import pytest
from django.db import DatabaseError
from django.utils import timezone
from rest_framework.exceptions import ValidationError

from billing.ledger import set_balance
from billing.models import LedgerEntry
from groups.models import Group
from groups.notifications.models import Notice
from tests.doubles.server import Fault
from tests.neighbours import ours
from voice.credit import prices
from voice.credit.charges import post_price, settle_at_our_rates, settle_by_staff
from voice.credit.prices import ask_for_price, sync_prices
from voice.models import Call
from voice.telephony.interface import TelephonyUnavailable

RATE = 10_300


@pytest.fixture(autouse=True)
def _paid(settings):
    settings.MIN_CALL_BALANCE = 500_000


@pytest.fixture
def ask(twilio, group):
    """Asks to be let in: None, or the refusal."""

    def ask(sid):
        answer = twilio("/api/voice/makeCall", to=group.pk, From="client:x", CallSid=sid)
        said = ElementTree.fromstring(answer.content).find("Say")
        return None if said is None else said.text

    return ask


@pytest.fixture
def call(twilio_telephony, twilio_double, twilio, ask, alice):
    """Somebody calls for so long, at Alice's cost, who has $5; the call at Twilio, whose price can be set."""
    set_balance(user=alice, balance_micros=5_000_000, memo="")

    def call(seconds=61):
        sid = twilio_double.call()
        assert ask(sid) is None
        return hang_up(sid, seconds)

    def hang_up(sid, seconds):
        Call.objects.filter(sid=sid).update(created_at=later(seconds=-seconds))
        twilio("/api/voice/callEvents", CallSid=sid, CallStatus="completed", CallDuration=seconds)
        twilio_double.calls[sid]["duration"] = str(seconds)
        return twilio_double.calls[sid]

    call.hang_up = hang_up
    return call


def later(**passed):
    return timezone.now() + timedelta(**passed)


def wait(hours):
    """Asks each hour."""
    return [sync_prices(now=later(hours=hour, minutes=3)) for hour in range(hours + 1)]


def charges():
    return [
        -micros
        for micros in LedgerEntry.objects.filter(kind="call").order_by("id").values_list("amount_micros", flat=True)
    ]


# Our own rates


def test_a_call_whose_price_never_comes_is_charged_at_our_own_rates_after_a_day(call, api, alice):
    call()
    wait(23)
    assert charges() == []
    wait(25)
    assert charges() == [2 * RATE]
    line = api.get(f"/api/users/{alice.pk}/statement").json()[-1]
    assert (line["amount"], "at our own rates" in line["memo"]) == ("-0.0206", True)


def test_two_long_calls_without_a_price_lock_nothing_for_ever(call, ask, twilio_double, alice):
    sids = [twilio_double.call() for _ in range(2)]
    assert [ask(sid) for sid in sids] == [None, None]
    for sid in sids:
        call.hang_up(sid, 4 * 3600)
    assert "not enough credit" in ask("CA8")
    wait(25)
    assert charges() == [240 * RATE] * 2
    set_balance(user=alice, balance_micros=1_000_000, memo="")
    assert ask("CA9") is None


def test_the_difference_is_posted_when_the_price_comes(call):
    at_twilio = call()
    wait(25)
    at_twilio["price"] = "-0.0130"
    wait(80)
    assert charges() == [2 * RATE, -4_000]
    assert LedgerEntry.objects.get(amount_micros=4_000).reference == f"twilio:{at_twilio['sid']}:corrected:1"


def test_a_price_that_is_what_we_charged_posts_nothing(call):
    at_twilio = call()
    wait(25)
    at_twilio["price"] = "-0.0170"
    wait(80)
    assert charges() == [2 * RATE]
    assert ours(Call).get().settled_by == "price"


def test_a_price_that_goes_to_and_fro_is_followed(call):
    at_twilio = call()
    for number, price in enumerate(["-0.0170", "-0.0200", "-0.0170", "-0.0200"]):
        at_twilio["price"] = price
        sync_prices(now=later(hours=25 * number, minutes=3))
    assert charges() == [20_600, 3_000, -3_000, 3_000]


@pytest.mark.parametrize("price", [None, "-0.0170"])
def test_changed_rates_are_not_for_calls_that_are_charged(call, settings, price):
    call()["price"] = price
    wait(25)
    settings.CALL_RATE = settings.CONFERENCE_RATE = 1_000_000
    wait(50)
    assert charges() == [2 * RATE]


def test_a_duration_that_is_corrected_after_the_charge_corrects_it(call, twilio):
    at_twilio = call()
    at_twilio["price"] = "-0.0170"
    wait(0)
    ours(Call).update(end_source="answer", created_at=later(seconds=-754))
    twilio("/api/voice/callEvents", CallSid=at_twilio["sid"], CallStatus="completed", CallDuration=754)
    at_twilio["price"] = "-0.1105"
    sync_prices(now=timezone.now())
    assert charges() == [2 * RATE, 11 * RATE]


def test_the_conference_is_charged_for_a_duration_that_is_corrected_though_the_price_stays(call, twilio):
    at_twilio = call()
    at_twilio["price"] = "-0.0170"
    wait(0)
    ours(Call).update(end_source="answer", created_at=later(seconds=-754))
    twilio("/api/voice/callEvents", CallSid=at_twilio["sid"], CallStatus="completed", CallDuration=754)
    sync_prices(now=timezone.now())
    assert charges() == [2 * RATE, 11 * 1_800]


def test_a_call_that_nobody_pays_is_not_charged(call):
    call()
    ours(Call).update(payer=None)
    wait(25)
    assert (charges(), ours(Call).get().charged_micros) == ([], None)


def test_a_duration_that_is_corrected_before_the_price_comes_corrects_our_estimate(call):
    at_twilio = call()
    wait(25)
    ours(Call).update(end_source="answer", created_at=later(seconds=-754))
    at_twilio["duration"] = "754"
    sync_prices(now=later(hours=49))
    assert charges() == [2 * RATE, 11 * RATE]
    assert ours(Call).get().price_attempts == len(prices.WAITS)


def test_an_end_that_nobody_knows_the_source_of_is_corrected_by_no_answer(call):
    at_twilio = call()
    ours(Call).update(end_source="", created_at=later(seconds=-754))
    at_twilio["duration"] = "754"
    assert wait(0)[0].waiting == 1
    assert ours(Call).get().duration == 61


SAID = [("-900.0000", "USD", 1), ("-900.0000", "JPY", 0), (None, "USD", 0)]


@pytest.mark.parametrize(("price", "unit", "told"), SAID)
def test_of_a_price_in_dollars_that_cannot_be_an_operator_reads(call, log, price, unit, told):
    call().update(price=price, price_unit=unit)
    wait(0)
    assert len([line for line in log.named("voice.credit.prices") if "cannot be" in line["message"]]) == told


def test_what_is_still_on_at_twilio_corrects_no_end_that_we_assume(call):
    call().update(status="in-progress", duration=None, end_time=None)
    ours(Call).update(end_source="assumed")
    wait(0)
    assert (ours(Call).get().status, ours(Call).get().duration) == ("completed", 61)


def test_the_longer_of_both_durations_says_what_a_price_can_be(call):
    call(601).update(price="-2.0000", duration="1")
    wait(0)
    assert charges() == [2_000_000 + 11 * 1_800]


def test_a_price_that_is_known_stays_though_twilio_tells_none_any_more(call):
    at_twilio = call()
    at_twilio["price"] = "-0.0170"
    wait(0)
    at_twilio["price"] = None
    assert sync_prices(now=later(hours=25)).waiting == 0
    known = ours(Call).get()
    assert (charges(), known.price_micros, known.price_due_at) == ([2 * RATE], -17_000, None)


def test_a_charge_of_which_the_call_knows_nothing_is_not_posted_once_more(call):
    call()["price"] = "-0.0170"
    wait(0)
    ours(Call).update(charged_micros=None, charged_minutes=None, price_due_at=timezone.now())
    wait(0)
    assert charges() == [2 * RATE]


def test_the_statement_says_of_each_charge_which_call_it_was(call, group):
    at_twilio = call()
    for price, hours in ((None, 25), ("-0.0170", 49), ("-0.0200", 73)):
        at_twilio["price"] = price
        wait(hours)
    call()["price"] = "-0.0170"
    wait(0)
    assert list(LedgerEntry.objects.filter(kind="call").order_by("pk").values_list("memo", "group_id")) == [
        ("Call of 2 min, at our own rates until Twilio's price is known, in Family", group.pk),
        ("Corrected price of a call in Family", group.pk),
        ("Call of 2 min in Family", group.pk),
    ]


def test_a_long_name_of_the_group_fits(call, group):
    Group.objects.filter(pk=group.pk).update(name="F" * Group._meta.get_field("name").max_length)
    call()["price"] = "-0.0170"
    assert wait(0)[0].priced == 1


# What was settled otherwise


def test_what_staff_have_settled_stays_whatever_price_comes_and_is_asked_for_no_more(call):
    at_twilio = call()
    settle_by_staff(ours(Call).get(), 500, reason="As agreed.")
    assert ours(Call).get().price_due_at is None
    ours(Call).update(price_due_at=timezone.now())  # by a run that had asked before
    at_twilio["price"] = "-0.0170"
    wait(30)
    known = ours(Call).get()
    assert (charges(), known.price_micros, known.price_due_at) == ([500], -17_000, None)
    assert LedgerEntry.objects.get(kind="call").memo == "As agreed."


def test_of_what_staff_have_settled_no_price_is_asked_though_its_end_is_corrected(call, twilio):
    at_twilio = call()
    ours(Call).update(end_source="assumed", duration=600)
    settle_by_staff(ours(Call).get(), 500, reason="As agreed.")
    twilio("/api/voice/callEvents", CallSid=at_twilio["sid"], CallStatus="completed", CallDuration=61)
    known = ours(Call).get()
    assert (known.duration, known.price_due_at, charges()) == (61, None, [500])


def test_staff_settle_a_call_once_and_none_whose_price_has_come(call):
    call()
    leg = ours(Call).get()
    for _ in range(2):
        settle_by_staff(leg, 500, reason="As agreed.")
    with pytest.raises(ValidationError):
        settle_by_staff(leg, 600, reason="No, so much.")
    ours(Call).update(price_micros=-17_000)
    with pytest.raises(ValidationError):
        settle_by_staff(leg, 500, reason="As agreed.")
    assert charges() == [500]


SETTLED = {
    "by its price": lambda call: post_price(call, -13_000, now=timezone.now()),
    "by staff": lambda call: settle_by_staff(call, 500, reason="As agreed."),
    "at our rates": settle_at_our_rates,
}


@pytest.mark.parametrize("settle", SETTLED.values(), ids=SETTLED)
def test_what_was_settled_meanwhile_is_not_charged_at_our_rates_as_well(call, settle):
    call()
    leg = ours(Call).get()
    settle(leg)
    charged = charges()
    assert (settle_at_our_rates(leg), charges()) == (False, charged)
    ours(Call).update(duration=754)  # which was told late
    assert settle_at_our_rates(leg) == (settle is settle_at_our_rates)
    assert (charges() == charged) == (settle is not settle_at_our_rates)


# Another unit


@pytest.mark.alone
def test_a_price_in_another_unit_is_kept_aside_and_charged_at_our_own_rates(call, api):
    call().update(price="-2.10", price_unit="JPY")
    wait(2)
    known = ours(Call).get()
    assert (known.price_micros, known.price_unit, known.price_told) == (None, "JPY", "-2.10")
    (charge,) = api.get("/api/billing/allTwilioCharges").json()["allTwilioChargesRes"]
    assert (charge["price"], charge["priceUnit"], charges()) == (None, "JPY", [])
    wait(25)
    assert charges() == [2 * RATE]


def test_a_price_in_dollars_takes_its_place(call):
    at_twilio = call()
    at_twilio.update(price="-2.10", price_unit="JPY")
    wait(2)
    at_twilio.update(price="-0.0170", price_unit="USD")
    wait(25)
    assert (charges(), ours(Call).get().price_unit, ours(Call).get().price_told) == ([20_600], "USD", "")


def test_a_corrected_price_in_another_unit_changes_nothing(call):
    at_twilio = call()
    at_twilio["price"] = "-0.0170"
    wait(0)
    at_twilio.update(price="-2.10", price_unit="JPY")
    wait(50)
    assert charges() == [20_600]


# No answer


def test_no_answer_is_not_no_price(call, twilio_double):
    at_twilio = call()
    for hours in range(20):
        twilio_double.fail_next(Fault.SERVER_ERROR)
        summary = sync_prices(now=later(hours=hours, minutes=3))
        assert (summary.waiting, summary.left) == (0, 1)
    assert ours(Call).get().price_attempts == 0
    at_twilio["price"] = "-0.0170"
    assert sync_prices(now=later(hours=20, minutes=3)).priced == 1


def test_not_even_an_outage_locks_money_for_more_than_two_days(call, twilio_double):
    call()
    for hours in (2, 47, 49):
        twilio_double.fail_next(Fault.SERVER_ERROR)
        sync_prices(now=later(hours=hours))
    assert charges() == [2 * RATE]


def test_an_outage_when_the_price_is_asked_once_more_loses_no_correction(call, twilio_double):
    at_twilio = call()
    at_twilio["price"] = "-0.0170"
    wait(0)
    at_twilio["price"] = "-0.0200"
    twilio_double.fail_next(Fault.SERVER_ERROR)
    assert sync_prices(now=later(hours=25)).left == 1
    sync_prices(now=later(hours=25, minutes=1))
    assert charges() == [20_600, 3_000]


def test_a_call_that_twilio_does_not_know_is_charged_as_we_know_it(call, twilio_double):
    sid = call()["sid"]
    twilio_double.forget(sid)
    wait(25)
    assert charges() == [2 * RATE]


# One call's failure


@pytest.fixture
def calls(call):
    """Five calls with a price, asked about in this order."""
    made = [call() for _ in range(5)]
    for number, each in enumerate(made):
        each["price"] = "-0.0170"
        Call.objects.filter(sid=each["sid"]).update(price_due_at=later(minutes=-9 + number))
    return made


@pytest.mark.parametrize("fault", [DatabaseError, ZeroDivisionError])
def test_one_failure_does_not_end_the_run(calls, monkeypatch, fault):
    def post_price(call, *args, **more):
        if call.sid == calls[0]["sid"]:
            raise fault
        return real(call, *args, **more)

    real = prices.post_price
    monkeypatch.setattr(prices, "post_price", post_price)
    summary = sync_prices(now=later(minutes=3))
    assert (summary.priced, summary.left) == (4, 1)


def test_the_run_stops_where_twilio_has_not_answered_three_times_in_a_row(calls, twilio_double):
    asked = len(twilio_double.requests)
    twilio_double.fail_next(*[Fault.SERVER_ERROR] * 9)
    assert sync_prices(now=later(minutes=3)).left == 5
    assert len(twilio_double.requests) == asked + 3


def test_what_is_overdue_is_settled_though_twilio_does_not_answer(calls, twilio_double):
    """In a long outage nobody's money stays held."""
    twilio_double.fail_next(*[Fault.SERVER_ERROR] * 9)
    assert sync_prices(now=later(hours=49)).settled == 5


def test_the_next_run_begins_with_those_that_were_not_asked_about(calls, twilio_double):
    twilio_double.fail_next(*[Fault.SERVER_ERROR] * 3)
    sync_prices(now=later(minutes=3))
    asked = len(twilio_double.requests)
    twilio_double.fail_next(*[Fault.SERVER_ERROR] * 3)
    sync_prices(now=later(minutes=4))
    assert calls[3]["sid"] in twilio_double.requests[asked].path


def test_a_run_asks_about_so_many(calls, monkeypatch):
    monkeypatch.setattr(prices, "MOST_AT_ONCE", 2)
    assert [sync_prices(now=later(minutes=3)).priced for _ in range(3)] == [2, 2, 1]


def test_a_run_settles_so_many(calls, monkeypatch):
    monkeypatch.setattr(prices, "MOST_AT_ONCE", 2)
    ours(Call).update(price_due_at=None)
    assert [sync_prices(now=later(hours=49)).settled for _ in range(3)] == [2, 2, 1]


def test_one_that_cannot_be_settled_leaves_the_others_alone(calls, monkeypatch):
    first = ours(Call).order_by("end_time").first()

    def settle(call):
        if call.pk == first.pk:
            raise DatabaseError
        return settle_at_our_rates(call)

    monkeypatch.setattr(prices, "settle_at_our_rates", settle)
    ours(Call).update(price_due_at=None)
    assert sync_prices(now=later(hours=49)).settled == 4


def test_a_run_whose_time_is_over_settles_nothing(calls, past_deadline):
    ours(Call).update(price_due_at=None)
    assert (sync_prices(now=later(hours=49)).settled, charges()) == (0, [])


def test_the_job_of_a_call_asks_about_no_other_and_not_before_its_time(calls, twilio_double):
    first, second = ours(Call).order_by("pk")[:2]
    Call.objects.filter(pk=second.pk).update(price_due_at=later(hours=1))
    before = len(twilio_double.requests)
    for call in (first, second):
        ask_for_price.call(call.pk)
    (asked,) = twilio_double.requests[before:]
    assert first.sid in asked.path


def test_what_another_run_asks_about_is_not_asked_about_as_well(calls, twilio_double):
    stale = ours(Call).order_by("pk").first()
    sync_prices(now=later(minutes=3))
    before = len(twilio_double.requests)
    prices.ask(stale, prices.PriceSummary(), now=later(minutes=3))
    assert twilio_double.requests[before:] == []


def test_of_calls_that_are_due_at_the_same_moment_one_is_claimed_and_given_back(calls, twilio_double):
    now = later(minutes=3)
    first, second, third = ours(Call).order_by("pk")[:3]
    Call.objects.filter(pk__in=(first.pk, second.pk)).update(price_due_at=now)
    Call.objects.filter(pk=third.pk).update(price_due_at=now + prices.CLAIM)
    twilio_double.fail_next(Fault.SERVER_ERROR)
    with pytest.raises(TelephonyUnavailable):
        prices.ask(Call.objects.get(pk=first.pk), prices.PriceSummary(), now=now)
    assert [Call.objects.get(pk=each.pk).price_due_at for each in (second, third)] == [now, now + prices.CLAIM]


def test_of_two_runs_that_read_the_same_one_claims_it(calls):
    copies = [ours(Call).order_by("pk").first() for _ in range(2)]
    assert [prices.claim_price(each, now=timezone.now()) for each in copies] == [True, False]


SINCE = {"priced": {"price_micros": -17_000}, "asked about": {"price_attempts": 2}}


@pytest.mark.parametrize("changed", SINCE.values(), ids=SINCE)
def test_a_slow_run_arranges_nothing_that_a_later_one_has_arranged(calls, changed):
    slow, due = ours(Call).order_by("pk").first(), later(hours=6)
    Call.objects.filter(pk=slow.pk).update(price_due_at=due, **changed)
    prices.wait(slow, None, now=timezone.now())
    assert Call.objects.get(pk=slow.pk).price_due_at == due


def test_an_answer_in_between_lets_the_run_go_on(calls, twilio_double):
    twilio_double.fail_next(Fault.SERVER_ERROR, Fault.SERVER_ERROR)
    summary = sync_prices(now=later(minutes=3))
    assert (summary.priced, summary.left) == (3, 2)


# Money that is low


@pytest.fixture
def told_that_it_is_low(alice):
    return lambda: Notice.objects.filter(user=alice, kind=Notice.Kind.LOW).values("about").distinct().count()


def test_who_has_little_left_after_a_correction_is_told(call, alice, told_that_it_is_low):
    at_twilio = call()
    at_twilio["price"] = "-0.0170"
    wait(0)
    assert told_that_it_is_low() == 0
    set_balance(user=alice, balance_micros=220_000, memo="")
    at_twilio["price"] = "-0.1170"
    sync_prices(now=later(hours=25))
    assert told_that_it_is_low() == 1


def test_who_is_charged_nothing_more_is_not_told(call, alice, told_that_it_is_low):
    at_twilio = call()
    wait(25)
    set_balance(user=alice, balance_micros=100_000, memo="")
    at_twilio["price"] = "-0.0170"
    wait(50)
    assert (charges(), told_that_it_is_low()) == ([2 * RATE], 0)


def test_who_gets_something_back_by_a_correction_is_not_told_once_more(call, alice, told_that_it_is_low):
    at_twilio = call()
    set_balance(user=alice, balance_micros=100_000, memo="")
    at_twilio["price"] = "-0.0170"
    wait(0)
    assert told_that_it_is_low() == 1
    at_twilio["price"] = "-0.0130"
    sync_prices(now=later(hours=25))
    assert (told_that_it_is_low(), charges()) == (1, [2 * RATE, -4_000])
