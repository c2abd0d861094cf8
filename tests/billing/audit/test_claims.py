"""Two runs of `reconcile_payments` at once: what one works at is not asked of Stripe, or applied, by the other."""

from contextlib import suppress
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from billing.audit.comparison import Comparison
from billing.cards import replace_default
from billing.gateway.interface import PaymentsUnavailable, payments
from billing.models import Dispute, RefundRequest, StripeEvent, TopUp
from billing.refunds import refund
from core.claims import CLAIM
from tests.doubles.server import Fault
from tests.doubles.stripe import event
from tests.neighbours import ours

KINDS = {"event": "refunds", "dispute": "retrieve_dispute", "refund": "refunds_since", "consent": "cancel"}
"""What Stripe is asked about each."""


def command():
    with suppress(CommandError):  # it says what is left
        call_command("reconcile_payments")


@pytest.fixture(params=KINDS)
def kind(request, stripe_payments, paid, send, tell, stripe_double, alice, api):
    """Something is left to be done, of this kind."""
    if request.param == "event":
        stripe_double.refunded(paid, 500)
        stripe_double.fail_next(Fault.DROP, Fault.DROP)
        send(event("charge.refunded", stripe_double._charge_of(paid)))
    elif request.param == "dispute":
        tell("charge.dispute.funds_withdrawn", stripe_double.disputed(paid))
    elif request.param == "refund":
        stripe_double.fail_next(Fault.LOSE_ANSWER, Fault.LOSE_ANSWER)
        with pytest.raises(PaymentsUnavailable):
            refund(top_up=ours(TopUp).get(), amount_cents=700, key="k")
        ours(RefundRequest).update(asked_at=timezone.now() - timedelta(minutes=2))
    else:
        replace_default(user=alice, source="pm_card_authenticationRequired")
        api.post("/api/billing/addMoney", {"userId": alice.pk, "amountToAdd": 20})
        TopUp.objects.filter(status="consent").update(created_at=timezone.now() - timedelta(days=2))
    return request.param


@pytest.fixture
def asked(kind, monkeypatch):
    """How often Stripe was asked about it: the first time, something else happens meanwhile."""
    name, vendor = KINDS[kind], type(payments())
    real = getattr(vendor, name)

    def ask(self, *args, **options):
        asked.append(args or options)
        if len(asked) == 1:
            asked.meanwhile()
        return real(self, *args, **options)

    class Asked(list):
        meanwhile = staticmethod(command)

    asked = Asked()
    monkeypatch.setattr(vendor, name, ask)
    monkeypatch.setattr(Comparison, "run", lambda _: None)  # it asks for lists, each run its own
    return asked


def test_what_one_run_works_at_another_leaves_alone(asked):
    command()
    assert len(asked) == 1


@pytest.mark.alone
def test_what_a_run_that_was_killed_had_claimed_is_due_again(asked):
    class Killed(BaseException):
        pass

    def is_killed():
        for model in (StripeEvent, Dispute, RefundRequest, TopUp):
            killed.update({(model, row.pk): row.try_at for row in model.objects.all()})
        raise Killed

    killed = {}
    asked.meanwhile = is_killed
    with pytest.raises(Killed):
        command()
    for (model, pk), try_at in killed.items():  # nothing was given back
        model.objects.filter(pk=pk).update(try_at=try_at)
    command()
    assert len(asked) == 1
    for model in (StripeEvent, Dispute, RefundRequest, TopUp):
        for row in model.objects.all():
            model.objects.filter(pk=row.pk).update(try_at=row.try_at - CLAIM)
    command()
    assert len(asked) == 2


def test_what_failed_is_tried_by_the_next_run_at_once(asked):
    def fail():
        raise PaymentsUnavailable

    asked.meanwhile = fail
    command()
    command()
    assert len(asked) == 2
