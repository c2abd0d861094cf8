"""An event is stored without what nothing follows from, and says the same when it is read again."""

import json
from contextlib import suppress

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.forms import model_to_dict
from django.utils import timezone

from billing import webhook
from billing.audit.reconciliation import apply_again
from billing.cards import replace_default
from billing.gateway.stripe_events import FOLLOWED_EVENTS, stripped
from billing.models import Card, Dispute, FormerCustomer, LedgerEntry, PaymentNotice, StripeEvent, TopUp
from tests.doubles.server import Fault
from tests.doubles.stripe import event
from tests.doubles.stripe_objects import declined, error
from tests.neighbours import ours
from users.models import User

PERSON = {"name": "Alice Example", "email": "alice@example.com", "phone": "+12025550123"}
ADDRESS = {"line1": "17 Quillfeather Lane", "postal_code": "10001"}
ABOUT = {"billing_details": {**PERSON, "address": ADDRESS}, "shipping": {**PERSON, "address": ADDRESS}, **PERSON}


@pytest.fixture
def scene(paid, stripe_double, alice, api):
    """What each kind of event is about. Alice has paid $20, and $30 of which nobody has heard yet."""
    stripe_double.fail_next(None, None, Fault.LOSE_ANSWER, Fault.LOSE_ANSWER)
    api.post("/api/billing/addMoney", {"userId": alice.pk, "amountToAdd": 30})
    (lost,) = [intent for name, intent in stripe_double.intents.items() if name != paid]
    (card,) = [each for each in stripe_double.methods.values() if each["customer"]]
    refund = stripe_double.refunded(paid, 500)
    failed = {**lost, "status": "requires_payment_method", "last_payment_error": {**declined(), "payment_method": card}}
    dispute = stripe_double.disputed(paid, into="eur", rate=0.9285)
    renewed = {**card, "card": {**card["card"], "last4": "1881", "exp_year": 2040}}
    return {
        "payment_intent.succeeded": lost,
        "payment_intent.payment_failed": failed,
        **dict.fromkeys(("refund.created", "refund.updated"), refund),
        "refund.failed": {**refund, "status": "failed"},
        "charge.refunded": stripe_double._charge_of(paid),
        **dict.fromkeys((kind for kind in FOLLOWED_EVENTS if kind.startswith("charge.dispute.")), dispute),
        "payment_method.updated": renewed,
        "payment_method.automatically_updated": renewed,
        "payment_method.detached": {**card, "customer": None},
        "customer.deleted": stripe_double.customers[alice.stripe_id],
    }


def books():
    """All that an event can change."""
    rows = [
        {
            key: value
            for key, value in model_to_dict(row).items()
            if key not in ("id", "entry", "in_flight_until", "created_at", "try_at")
        }
        for model in (LedgerEntry, TopUp, Dispute, Card, FormerCustomer)
        for row in model.objects.order_by("pk")
    ]
    return rows, list(ours(User).order_by("pk").values("stripe_id", "last4", "account_balance_micros"))


def reconcile():
    """What else is left, these tests do not ask."""
    with suppress(CommandError):
        call_command("reconcile_payments")


@pytest.mark.parametrize("kind", FOLLOWED_EVENTS)
def test_it_says_the_same_when_it_is_applied_later(scene, send, kind, monkeypatch):
    body = event(kind, {**scene[kind], **ABOUT})
    before = books()
    with transaction.atomic():
        assert send(body).status_code == 204
        at_once = books()
        transaction.set_rollback(True)
    assert books() == before
    with monkeypatch.context() as patch:
        patch.setattr(webhook, "apply", lambda _: None)
        assert send(body).status_code == 204
    apply_again(ours(StripeEvent).get())
    assert books() == at_once


@pytest.mark.parametrize("kind", FOLLOWED_EVENTS)
def test_reconcile_payments_applies_it(scene, send, kind, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(webhook, "apply", lambda _: None)
        send(event(kind, {**scene[kind], **ABOUT}))
    reconcile()
    assert ours(StripeEvent).get().applied_at


@pytest.mark.parametrize("kind", [*FOLLOWED_EVENTS, "customer.updated", "charge.succeeded", "invoice.paid"])
def test_it_names_nobody(scene, send, kind):
    thing = {**scene.get(kind, scene["customer.deleted"]), **ABOUT}
    assert send(event(kind, thing, request={"id": "req_1"}, data_of="Alice Example")).status_code == 204
    stored = json.dumps(ours(StripeEvent).get().payload)
    for word in (*PERSON.values(), *ADDRESS.values(), "req_1"):
        assert word not in stored


@pytest.mark.parametrize("kind", ["payment_method.updated", "payment_method.detached", "customer.deleted"])
def test_of_a_customer_or_card_nothing_is_kept_once_it_is_applied(scene, send, alice, kind):
    customer, card = alice.stripe_id or User.objects.get(pk=alice.pk).stripe_id, ours(Card).get().pk
    send(event(kind, scene[kind]))
    stored = json.dumps(ours(StripeEvent).get().payload)
    assert (customer in stored, card in stored, "1881" in stored) == (False, False, False)
    ours(StripeEvent).update(applied_at=None)
    before = books()
    apply_again(ours(StripeEvent).get())
    assert (books(), ours(StripeEvent).get().reason) == (before, "")


@pytest.mark.parametrize("thing", [None, [], "x", 7, {"id": {"id": "re_1"}}, {"balance_transactions": ["txn_1", None]}])
def test_whatever_stands_in_its_object_can_be_stripped(thing):
    for kind in FOLLOWED_EVENTS:
        once = stripped({"id": "evt_1", "type": kind, "data": {"object": thing}})
        assert stripped(once) == once


def test_an_expanded_object_is_kept_by_its_id(scene, send, paid, entries):
    refund = {**scene["refund.created"], "payment_intent": {"id": paid, **PERSON}, "balance_transaction": {"id": "txn"}}
    assert send(event("refund.created", refund)).status_code == 204
    kept = ours(StripeEvent).get().payload["data"]["object"]
    assert (kept["payment_intent"], kept["balance_transaction"]) == ({"id": paid}, {"id": "txn"})
    assert ("refund", -500) in entries()


def test_an_event_that_waits_is_of_nobody_once_its_person_is_gone(scene, send, alice, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(webhook, "apply", lambda _: None)
        send(event("payment_method.updated", scene["payment_method.updated"]))
    User.objects.get(pk=alice.pk).delete()
    stored = ours(StripeEvent).get()
    assert (stored.applied_at is not None, stored.reason) == (True, "The person whom it is about is deleted.")


def test_one_that_was_applied_stays_as_it_was_then_and_is_of_nobody_too_and_anothers_stays_anothers(alice):
    about_her = {"data": {"object": {"id": "cus_1", "email": alice.email}}}
    applied = {"applied_at": timezone.now(), "reason": "It is of another account."}
    StripeEvent.objects.create(id="evt_1", type="customer.updated", payload=about_her, **applied)
    about_another = {"data": {"object": {"id": "cus_2", "email": "zoe@example.com"}}}
    StripeEvent.objects.create(id="evt_2", type="customer.updated", payload=about_another)
    anothers = ours(StripeEvent).values().get(pk="evt_2")
    User.objects.get(pk=alice.pk).delete()
    stored = StripeEvent.objects.get(pk="evt_1")
    assert ours(StripeEvent).values().get(pk="evt_2") == anothers
    assert {name: getattr(stored, name) for name in applied} == applied
    assert alice.email not in json.dumps(stored.payload)


def test_what_stripe_refuses_is_told_to_operators_without_whom(alice, stripe_double, stripe_payments, api):
    words = "The account of alice@example.com (cus_123, pm_456) cannot be charged by acct_1."
    stripe_double.refusal = error(403, "invalid_request_error", words, code="account_invalid")
    with pytest.raises(Exception, match="not possible"):
        replace_default(user=alice, source="tok_visa")
    assert "The account of …@… (cus_…, pm_…) cannot be charged by acct_1." in PaymentNotice.objects.get().words
