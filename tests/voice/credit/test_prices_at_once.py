"""A price that two runs ask for: the slow one hears that there is none yet, and has been overtaken meanwhile."""

from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from billing.ledger import account_of
from tests.doubles.server import Refusal
from tests.doubles.twilio import error
from tests.neighbours import ours
from voice.credit.charges import post_price
from voice.credit.prices import sync_prices
from voice.models import Call

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def meanwhile(on_postgresql, twilio_telephony, twilio_double, alice, monkeypatch):
    """What happens to Alice's call, which ended an hour ago, while Twilio is asked and tells no price."""
    now = timezone.now()
    sid = twilio_double.call(price=None)
    ended = now - timedelta(hours=1)
    Call.objects.create(sid=sid, payer=account_of(alice), duration=61, end_time=ended, price_due_at=now)

    def happens(act, *, fails=False):
        def check(request):
            try:
                act(ours(Call).get())
            finally:
                connections.close_all()
            if fails:
                raise Refusal(error(500, 20500, "Internal error"))

        monkeypatch.setattr(twilio_double, "check", check)
        summary = sync_prices(now=now)
        assert (summary.priced, summary.waiting) == (0, 0 if fails else 1)
        return ours(Call).get()

    return happens


def test_a_price_that_has_come_meanwhile_is_asked_for_again_after_a_day_and_not_within_minutes(meanwhile):
    tomorrow = timezone.now() + timedelta(hours=24)
    call = meanwhile(lambda call: post_price(call, -20_000, now=tomorrow - timedelta(hours=24)))
    assert (call.price_due_at, call.price_attempts) == (tomorrow, 0)


def test_what_a_later_run_has_arranged_stays(meanwhile):
    later = timezone.now() + timedelta(hours=6)
    call = meanwhile(lambda _: ours(Call).update(price_attempts=2, price_due_at=later))
    assert (call.price_due_at, call.price_attempts) == (later, 2)


def test_it_stays_too_where_twilio_has_failed_the_slow_one(meanwhile):
    later = timezone.now() + timedelta(hours=6)
    call = meanwhile(lambda _: ours(Call).update(price_due_at=later), fails=True)
    assert call.price_due_at == later
