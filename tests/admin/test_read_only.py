import re
from typing import Any

import pytest

from billing.ledger import post_entry
from billing.models import Account, Card, Dispute, LedgerEntry, PaymentNotice, StripeEvent, TopUp
from groups.models import Device, Push, SandboxNotification
from groups.notifications.models import Notice, SandboxEmail, SandboxMessage
from tests.admin.conftest import WHY, Browser, read_form, text
from tests.admin.rows import fill
from tests.neighbours import ours
from users.models import Erasure, User
from voice.models import Call, Conference

MODELS = [
    *(Account, LedgerEntry, TopUp, Dispute, StripeEvent, PaymentNotice),
    *(Call, Conference, Device, Push, SandboxNotification, SandboxEmail, SandboxMessage, Notice, Erasure),
]
models = pytest.mark.parametrize("model", MODELS)


def base(model: Any) -> str:
    return f"/admin/{model._meta.app_label}/{model._meta.model_name}"


@models
def test_a_row_can_be_looked_at(browser: Browser, model: Any) -> None:
    fill(0, 1)
    page = browser.get(f"{base(model)}/{ours(model).get().pk}/change/")
    assert page.status_code == 200
    assert 'type="submit" value="Save"' not in text(page)


@models
def test_a_row_cannot_be_added(browser: Browser, model: Any) -> None:
    assert browser.get(f"{base(model)}/add/").status_code == 403
    assert browser.post(f"{base(model)}/add/", {}).status_code == 403


@models
def test_a_row_cannot_be_changed(browser: Browser, model: Any) -> None:
    fill(0, 1)
    before = ours(model).values().get()
    answer = browser.post(f"{base(model)}/{before[model._meta.pk.attname]}/change/", {"memo": "x", "status": "x"})
    assert answer.status_code == 403
    assert answer["Content-Type"].startswith("text/html")
    assert ours(model).values().get() == before


@models
def test_a_row_cannot_be_deleted(browser: Browser, model: Any) -> None:
    fill(0, 1)
    row = ours(model).get()
    assert browser.post(f"{base(model)}/{row.pk}/delete/", {"post": "yes", "why": WHY}).status_code == 403
    assert ours(model).exists()


@models
def test_rows_cannot_be_deleted_together(browser: Browser, model: Any) -> None:
    fill(0, 2)
    selected = [row.pk for row in ours(model)]
    browser.post(
        f"{base(model)}/", {"action": "delete_selected", "_selected_action": selected, "post": "yes", "why": WHY}
    )
    assert ours(model).count() == 2
    assert "delete_selected" not in text(browser.get(f"{base(model)}/"))


def test_an_account_shows_its_newest_entries_and_totals(browser: Browser, db: None) -> None:
    account = Account.objects.create()
    LedgerEntry.objects.bulk_create(
        LedgerEntry(
            account=account,
            kind="call",
            amount_micros=-8500,
            balance_after_micros=-8500 * n,
            reference=f"twilio:CA{n:03}",
            memo="",
        )
        for n in range(1, 151)
    )
    page = text(browser.get(f"{base(Account)}/{account.pk}/change/"))
    assert "-$1.275<" in page
    assert "twilio:CA150" in page
    assert "twilio:CA051" in page
    assert "twilio:CA050" not in page


def test_an_account_shows_its_totals_by_kind(browser: Browser, db: None) -> None:
    account = Account.objects.create()
    for number, kind in enumerate(LedgerEntry.Kind, start=1):
        for half in (1, 2):
            amount = number * (-1_000_000 if kind == LedgerEntry.Kind.DISPUTE else 1_000_000)
            post_entry(account=account, kind=kind, amount_micros=amount, reference=f"{kind} {half}", memo="")
    page = text(browser.get(f"{base(Account)}/{account.pk}/change/"))
    shown = re.findall(r'<label>([^<]+):</label>\s*<div class="readonly">(-?\$[0-9.]+)</div>', page)
    assert dict(shown) == {
        "Balance": "$40.00",
        "Added by card": "$2.00",
        "Calls": "$4.00",
        "Refunds": "$6.00",
        "Disputes": "-$8.00",
        "Disputes won": "$10.00",
        "Adjustments": "$12.00",
        "Opening balance": "$14.00",
    }


def test_an_account_shows_its_open_disputes(browser: Browser) -> None:
    fill(0, 2)
    account = ours(Account).first()
    ours(Dispute).update(account=account, settled=False)
    Dispute.objects.filter(pk="du_1").update(settled=True)
    page = text(browser.get(f"{base(Account)}/{account.pk}/change/"))
    assert ("du_0 needs_response" in page, "du_1" in page) == (True, False)


def test_a_person_shows_their_cards(browser: Browser, bob: User) -> None:
    Card.objects.create(id="pm_1", user=bob, brand="visa", last4="4242", exp_month=3, exp_year=2034, is_default=True)
    page = text(browser.get(f"/admin/users/user/{bob.pk}/change/"))
    assert all(word in page for word in ("visa", "4242", "03/2034", "Pays"))
    assert "pm_1" not in read_form(browser.get(f"/admin/users/user/{bob.pk}/change/")).values()


def test_a_top_up_keeps_its_secret(browser: Browser) -> None:
    fill(0, 1)
    ours(TopUp).update(client_secret="pi_1_secret_abc")
    page = text(browser.get(f"{base(TopUp)}/{ours(TopUp).get().pk}/change/"))
    assert "$20.00" in page
    assert "secret_abc" not in page


def test_a_stripe_event_keeps_its_secrets(browser: Browser, db: None) -> None:
    payload = {"data": [{"object": {"id": "pi_1", "client_secret": "pi_1_secret_abc"}}]}
    StripeEvent.objects.create(id="evt_1", type="payment_intent.succeeded", payload=payload)
    page = text(browser.get(f"{base(StripeEvent)}/evt_1/change/"))
    assert "pi_1" in page
    assert "secret_abc" not in page


def test_a_stripe_event_is_shown_as_it_came_and_as_text(browser: Browser, db: None) -> None:
    StripeEvent.objects.create(id="evt_1", type="refund.created", payload={"memo": "<script>Größe</script>"})
    assert "&quot;memo&quot;: &quot;&lt;script&gt;Größe" in text(browser.get(f"{base(StripeEvent)}/evt_1/change/"))


def test_a_conference_shows_its_events(browser: Browser) -> None:
    fill(0, 1)
    page = text(browser.get(f"{base(Conference)}/CF0/change/"))
    assert "participant-join" in page
    assert "Group 0" in page


def test_a_top_up_says_what_was_captured_where_it_is_less(browser: Browser) -> None:
    fill(0, 1)
    ours(TopUp).update(captured_cents=1250)
    page = text(browser.get(f"{base(TopUp)}/{ours(TopUp).get().pk}/change/"))
    assert ("$20.00" in page, "$12.50" in page) == (True, True)
