"""What settles one call at the same moment."""

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.exceptions import ValidationError

from billing.ledger import account_of
from billing.models import LedgerEntry
from tests.neighbours import ours
from tests.voice.conferences.test_event_races import at_once
from voice.conferences.doubts import close_call
from voice.conferences.events import end_call
from voice.credit.charges import post_price, settle_at_our_rates, settle_by_staff
from voice.models import Call

pytestmark = pytest.mark.django_db(transaction=True)

RATE = 10_300


@pytest.fixture
def call(on_postgresql, alice):
    return Call.objects.create(sid="CA1", payer=account_of(alice), duration=61, end_time=timezone.now())


def charged():
    return [-micros for micros in ours(LedgerEntry).order_by("id").values_list("amount_micros", flat=True)]


def test_our_own_rates_count_once(call):
    at_once(lambda: settle_at_our_rates(call), lambda: settle_at_our_rates(call))
    assert charged() == [2 * RATE]


def test_a_price_that_comes_while_our_own_rates_are_charged_posts_the_difference(call):
    at_once(lambda: settle_at_our_rates(call), lambda: post_price(call, -20_000, now=timezone.now()))
    assert charged() == [2 * RATE, 3_000]


def test_a_price_that_comes_while_staff_settle_posts_nothing(call):
    at_once(lambda: settle_by_staff(call, 5, reason="Sorry"), lambda: post_price(call, -20_000, now=timezone.now()))
    assert charged() == [5]


def test_staff_who_settle_while_the_price_comes_are_told(call):
    with pytest.raises(ValidationError, match="price has come meanwhile"):
        at_once(lambda: post_price(call, -20_000, now=timezone.now()), lambda: settle_by_staff(call, 5, reason="Sorry"))
    assert charged() == [23_600]


@pytest.mark.parametrize("first", ["told", "assumed"])
def test_twilios_word_wins_over_an_assumption_whichever_comes_first(call, first):
    ours(Call).update(end_time=None, duration=None, created_at=timezone.now() - timedelta(hours=5))
    steps = [
        lambda: end_call(call, status="completed", duration=754, now=timezone.now()),
        lambda: close_call(call, now=timezone.now()),
    ]
    at_once(*steps if first == "told" else reversed(steps))
    assert (ours(Call).get().duration, ours(Call).get().end_source) == (754, "event")
