"""Whatever Stripe has signed is stored and answered 204; what cannot be applied is kept with the reason."""

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from billing import webhook
from billing.gateway.interface import PaymentsUnavailable, payments
from billing.gateway.stripe_payments import StripePayments
from billing.models import PaymentNotice, StripeEvent
from billing.webhook import INVISIBLE, warning_at_start
from tests.doubles.server import Fault
from tests.doubles.stripe import event, thin_event
from tests.doubles.stripe_objects import new_link
from tests.neighbours import ours
from users.models import User
from voicechat.startup import start_lines


@pytest.fixture
def kept(send):
    """Sends it, and gives what is kept of it."""

    def kept(body):
        assert send(body).status_code == 204
        return ours(StripeEvent).latest("created_at")

    return kept


@pytest.fixture
def unheard(paid, stripe_double):
    """A refund of $5, of which nothing was heard here yet."""
    return stripe_double.refunded(paid, 500)


def without(thing, *keys):
    return {key: value for key, value in thing.items() if key not in keys}


# --- What cannot be read --------------------------------------------------------------------------------------------


LONG_ID = b'{"id": "%s", "type": "x"}' % (b"e" * 256)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b"null",
        b"7",
        b"{}",
        b'{"id": 1, "type": "x"}',
        b'{"id": "evt_1"}',
        b'{"id": "evt_1", "type": ""}',
        b'{"id": "evt_1", "type": 7}',
        b'{"id": "", "type": "x"}',
        b"[" * 10_000,
        LONG_ID,
    ],
)
def test_a_signed_body_that_is_no_event_is_kept(kept, body):
    event = kept(body)
    assert (event.applied_at, event.type) == (None, "not an event")
    assert "no id and type" in event.reason


def test_the_longest_id_is_one(kept):
    event = kept(b'{"id": "%s", "type": "x"}' % (b"e" * 255))
    assert (event.pk, event.type, event.applied_at is not None) == ("e" * 255, "x", True)


@pytest.mark.parametrize(("version", "kept_of_it"), [("9" * 101, "9" * 100), (2019, ""), (None, "")])
def test_of_a_type_and_a_version_only_so_much_is_kept_as_fits(kept, version, kept_of_it):
    body = {"id": "evt_1", "type": "x" * 101, "api_version": version}
    event = kept(json.dumps(body).encode())
    assert (event.pk, event.type, event.api_version) == ("evt_1", "x" * 100, kept_of_it)


def test_the_same_body_is_kept_once(kept):
    kept(b"{}")
    kept(b"{}")
    assert ours(StripeEvent).count() == 1


FOLLOWED = ["payment_intent.succeeded", "refund.created", "charge.refunded", "charge.dispute.created"]
FOLLOWED += ["payment_method.updated", "payment_method.detached", "customer.deleted"]


@pytest.mark.parametrize("data", [None, {}, {"object": None}, {"object": {}}, {"object": "x"}, {"object": {"id": 7}}])
@pytest.mark.parametrize("kind", FOLLOWED)
def test_an_event_without_its_object_is_kept_with_a_reason(kept, kind, data):
    event_kept = kept(json.dumps({"id": "evt_1", "object": "event", "type": kind, "data": data}).encode())
    assert (event_kept.applied_at, event_kept.reason.startswith("It cannot be read: its ")) == (None, True)


@pytest.mark.parametrize("key", ["status", "amount", "amount_received", "currency"])
@pytest.mark.parametrize("value", ["missing", None, [], {}])
def test_what_lacks_a_key_is_asked_for(kept, paid, stripe_double, key, value):
    intent = {**stripe_double.intents[paid], key: value} if value != "missing" else stripe_double.intents[paid]
    broken = without(intent, *[key] * (value == "missing"))
    assert kept(event("payment_intent.succeeded", broken)).applied_at


@pytest.mark.parametrize("key", ["amount", "currency", "payment_intent"])
def test_a_refund_of_years_ago_is_asked_for(kept, unheard, entries, key):
    old = event("refund.created", without(unheard, key), api_version="2017-08-15")
    assert kept(old).reason == ""
    assert entries() == [("top_up", 2000), ("refund", -500)]


@pytest.mark.parametrize("key", ["amount", "currency", "payment_intent", "status"])
def test_a_dispute_of_years_ago_is_asked_for(kept, paid, stripe_double, entries, key):
    kept(event("charge.dispute.funds_withdrawn", without(stripe_double.disputed(paid), key)))
    assert entries() == [("top_up", 2000), ("dispute", -2000)]


def test_a_charge_that_names_no_payment_brings_its_refunds(kept, unheard, paid, stripe_double, entries):
    kept(event("charge.refunded", without(stripe_double._charge_of(paid), "payment_intent", "amount")))
    assert entries() == [("top_up", 2000), ("refund", -500)]


def test_such_a_charge_brings_the_payment_first(kept, paid, stripe_double, api, alice, entries):
    stripe_double.fail_next(None, None, Fault.LOSE_ANSWER, Fault.LOSE_ANSWER)
    api.post("/api/billing/addMoney", {"userId": alice.pk, "amountToAdd": 30})
    (lost,) = [name for name in stripe_double.intents if name != paid]
    stripe_double.refunded(lost, 500)
    kept(event("charge.refunded", without(stripe_double._charge_of(lost), "payment_intent")))
    assert entries() == [("top_up", 2000), ("top_up", 3000), ("refund", -500)]


def test_where_stripe_does_not_know_it_either_it_is_kept_and_tried_again(kept, paid, stripe_double):
    nobodys = {"id": "pi_nobodys", "object": "payment_intent"}
    event_kept = kept(event("payment_intent.succeeded", nobodys, api_version="2015-02-10"))
    assert event_kept.applied_at is None
    assert "its status is missing. It is of API version 2015-02-10" in event_kept.reason
    with pytest.raises(CommandError, match="1 left"):
        call_command("reconcile_payments")
    stripe_double.intents["pi_nobodys"] = {**stripe_double.intents[paid], "id": "pi_nobodys", "metadata": {}}
    call_command("reconcile_payments")
    assert ours(StripeEvent).get().applied_at


def test_each_that_waits_keeps_its_own_reason(kept):
    first = kept(event("refund.created", {"id": "re_1"}))
    second = kept(event("payment_intent.succeeded", {"id": "pi_1"}))
    assert StripeEvent.objects.get(pk=first.pk).reason == first.reason != second.reason


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_while_the_database_does_not_answer_the_event_is_left_to_its_next_delivery(
    send, unheard, entries, monkeypatch, error
):
    def fail(refund):
        raise error

    body = event("refund.created", unheard)
    with monkeypatch.context() as patch:
        patch.setitem(webhook.FOLLOWED, webhook.Refund, fail)
        assert send(body).status_code == 503
    assert ours(StripeEvent).get().reason == ""
    assert send(body).status_code == 204
    assert entries() == [("top_up", 2000), ("refund", -500)]


def test_after_a_week_it_is_not_tried_any_more(kept, capsys):
    kept(event("refund.created", {"id": "re_1"}))
    ours(StripeEvent).update(created_at=timezone.now() - timedelta(days=8))
    call_command("reconcile_payments")
    assert ours(StripeEvent).get().applied_at is None


@pytest.mark.parametrize("kind", ["payment_method.updated", "payment_method.automatically_updated"])
@pytest.mark.parametrize("written", [event, thin_event])
def test_a_payment_method_that_is_no_card_concerns_nobody(kept, stripe_double, kind, written):
    event_kept = kept(written(kind, stripe_double._keep(stripe_double.methods, new_link("cus_1"))))
    assert (event_kept.applied_at is not None, event_kept.reason) == (True, "")


def test_metadata_that_is_null_is_none(kept, paid, stripe_double):
    kept_event = kept(event("payment_intent.succeeded", {**stripe_double.intents[paid], "metadata": None}))
    assert kept_event.applied_at


def test_text_that_postgresql_does_not_take_is_kept(kept, paid, stripe_double):
    intent = {**stripe_double.intents[paid], "description": "\0 and \ud83d", "amount_details": float("nan")}
    assert kept(event("payment_intent.succeeded", intent)).applied_at


@pytest.mark.parametrize("field", ["brand", "last4"])
def test_what_no_column_takes_is_kept(kept, paid, stripe_double, on_postgresql, field):
    (card,) = [each for each in stripe_double.methods.values() if each["customer"]]
    event_kept = kept(event("payment_method.updated", {**card, "card": {**card["card"], field: "x" * 99}}))
    assert "A fault of ours (DataError)" in event_kept.reason


def test_a_fault_of_ours_is_kept_and_logged(kept, unheard, monkeypatch, caplog, entries):
    with monkeypatch.context() as patch:
        patch.setitem(webhook.FOLLOWED, webhook.Refund, lambda refund: refund.nothing)
        assert "A fault of ours (AttributeError)" in kept(event("refund.created", unheard)).reason
    assert "could not be applied" in caplog.text
    call_command("reconcile_payments")
    assert entries() == [("top_up", 2000), ("refund", -500)]


def test_a_fault_of_ours_that_lasts_is_reported_by_the_next_run(kept, unheard, monkeypatch):
    monkeypatch.setitem(webhook.FOLLOWED, webhook.Refund, lambda refund: refund.nothing)
    event_kept = kept(event("refund.created", unheard))
    with pytest.raises(CommandError, match="event"):
        call_command("reconcile_payments")
    event_kept.refresh_from_db()
    assert event_kept.applied_at is None


def test_of_a_payment_that_is_booked_stripe_is_not_asked(kept, unheard, paid, stripe_double):
    kept(event("refund.created", unheard))
    assert stripe_double.sent("GET", f"/v1/payment_intents/{paid}") == []


def test_of_what_is_applied_stripe_is_asked_no_more(kept, unheard, paid, stripe_double):
    body = event("charge.refunded", stripe_double._charge_of(paid))
    kept(body)
    asked = len(stripe_double.requests)
    kept(body)
    assert len(stripe_double.requests) == asked


def test_a_failure_that_comes_when_another_has_applied_it_says_nothing(
    send, unheard, paid, stripe_double, entries, monkeypatch
):
    body = event("charge.refunded", stripe_double._charge_of(paid))
    vendor = type(payments())
    real = vendor.refunds

    def refunds(self, **asked):
        monkeypatch.setattr(vendor, "refunds", real)
        assert send(body).status_code == 204
        raise PaymentsUnavailable

    monkeypatch.setattr(vendor, "refunds", refunds)
    assert send(body).status_code == 503
    stored = ours(StripeEvent).get()
    assert (stored.applied_at is not None, stored.reason) == (True, "")
    assert entries() == [("top_up", 2000), ("refund", -500)]


# --- Thin events ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["refund.created", "charge.refunded"])
def test_a_thin_event_is_asked_about(kept, unheard, paid, stripe_double, entries, kind):
    thing = unheard if kind == "refund.created" else stripe_double._charge_of(paid)
    assert kept(thin_event(kind, thing)).applied_at
    assert entries() == [("top_up", 2000), ("refund", -500)]


def test_a_thin_event_of_something_else_is_stored(kept):
    kept_event = kept(thin_event("billing.meter.error_report_triggered", {"id": "m", "object": "billing.meter"}))
    assert (kept_event.applied_at is not None, kept_event.reason) == (True, "")


def test_while_stripe_does_not_answer_a_thin_event_is_told_again(send, unheard, stripe_double, entries):
    body = thin_event("refund.created", unheard)
    stripe_double.fail_next(Fault.DROP, Fault.DROP)
    assert send(body).status_code == 503
    assert "does not answer" in ours(StripeEvent).get().reason
    assert (send(body).status_code, ours(StripeEvent).get().reason) == (204, "")
    assert entries() == [("top_up", 2000), ("refund", -500)]


# --- What our key does not see --------------------------------------------------------------------------------------


def test_a_charge_that_this_key_cannot_see_is_applied_to_nothing(kept, paid, stripe_double, entries):
    charge = {**stripe_double._charge_of(paid), "id": "ch_test", "payment_intent": "pi_test"}
    event_kept = kept(event("charge.refunded", charge))
    assert (event_kept.applied_at is not None, event_kept.reason) == (True, INVISIBLE)
    assert entries() == [("top_up", 2000)]


@pytest.mark.parametrize("kind", ["refund.created", "charge.dispute.funds_withdrawn", "payment_intent.succeeded"])
def test_things_of_a_payment_that_this_key_cannot_see_are_too(kept, paid, stripe_double, entries, kind):
    refund = stripe_double.refunded(paid, 500)
    thing = {"r": refund, "c": stripe_double.disputed(paid), "p": stripe_double.intents[paid]}[kind[0]]
    event_kept = kept(event(kind, {**thing, "id": "x_1", "payment_intent": "pi_test", "metadata": {}}))
    assert (event_kept.applied_at is not None, event_kept.reason) == (True, "It is about no payment of ours.")


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        ({"account": "acct_2"}, "It is of another account of Stripe's: acct_2."),
        ({"context": "acct_2"}, "It is of another account of Stripe's: acct_2."),
        ({"livemode": True}, "It is of live mode, and SK_TEST is of the other one."),
    ],
)
def test_an_event_of_another_account_or_mode_is_applied_to_nothing(
    kept, unheard, stripe_double, entries, field, reason
):
    asked = len(stripe_double.requests)
    event_kept = kept(event("refund.created", unheard, **field))
    assert (event_kept.applied_at is not None, event_kept.reason) == (True, reason)
    assert (entries(), len(stripe_double.requests)) == ([("top_up", 2000)], asked)


@pytest.mark.parametrize(
    ("key", "mode"), [("sk_test_1", False), ("sk_live_1", True), ("rk_test_1", False), ("rk_live_1", True), ("x", None)]
)
def test_the_mode_is_that_of_the_key_also_of_a_restricted_one(key, mode):
    assert StripePayments(sk_test=key).livemode is mode


# --- API versions ---------------------------------------------------------------------------------------------------


def test_an_endpoint_of_another_version_is_told_at_the_start_and_in_the_admin(kept, unheard):
    assert kept(event("refund.created", unheard, api_version="2019-05-16")).api_version == "2019-05-16"
    assert "sends events of API version 2019-05-16" in PaymentNotice.objects.get(pk="api_version").words
    assert "WARNING: Stripe's webhook endpoint sends events of API version 2019-05-16" in "\n".join(start_lines())


def test_once_the_endpoint_is_mended_nobody_is_warned(kept, unheard, stripe_payments):
    kept(event("refund.created", unheard, api_version="2019-05-16"))
    kept(event("refund.updated", unheard))
    assert warning_at_start() == ""
    assert "API version" not in "\n".join(start_lines())


def test_before_any_event_has_come_nobody_is_warned(stripe_payments, db):
    assert warning_at_start() == ""


def test_the_sandbox_reads_no_version_and_warns_of_none(sandbox_payments, db):
    StripeEvent.objects.create(id="evt_1", type="refund.created", payload={}, api_version="2019-05-16")
    assert warning_at_start() == ""


# --- In the admin ---------------------------------------------------------------------------------------------------


@pytest.fixture
def listed(client, db):
    """The page of events that a filter leaves."""
    client.force_login(User.objects.create_superuser("root@example.com", display_name="Root"))
    return lambda query: client.get(f"/admin/billing/stripeevent/?{query}").content.decode()


def test_an_operator_finds_what_waits_and_why(kept, listed):
    name = kept(event("refund.created", {"id": "re_1"}, api_version="2017-08-15")).pk
    page = listed("applied=no")
    assert name in page
    assert "It cannot be read: its payment_intent is missing. It is of API version 2017-08-15." in page
    assert name not in listed("applied=nothing")


def test_an_operator_finds_what_was_applied_to_nothing_and_why(kept, listed, unheard):
    name = kept(event("refund.created", unheard, livemode=True)).pk
    page = listed("applied=nothing")
    assert name in page
    assert "It is of live mode" in page
    assert name not in listed("applied=no")
