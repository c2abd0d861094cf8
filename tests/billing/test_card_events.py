"""Cards that their bank replaces, and cards that are taken off the file at Stripe."""

import pytest

from billing.cards import attach, replace_default
from billing.models import Card
from tests.neighbours import ours


@pytest.fixture
def card(stripe_payments, stripe_double, alice):
    """Alice's default card, as Stripe has it."""
    return stripe_double.methods[replace_default(user=alice, source="tok_visa").id]


@pytest.fixture
def last4(api, alice):
    return lambda: api.get(f"/api/users/{alice.pk}/last4").json()["last4"]


def test_what_may_be_shown_of_a_card_is_kept(card, alice):
    kept = ours(Card).get()
    assert (kept.user, kept.brand, kept.last4, kept.exp_month, kept.is_default) == (alice, "visa", "4242", 12, True)


def test_one_card_pays_and_the_others_stay_on_file(card, alice):
    attach(user=alice, source="tok_amex")
    replace_default(user=alice, source="tok_mastercard")
    assert dict(ours(Card).values_list("last4", "is_default")) == {"4242": False, "8431": False, "4444": True}


def test_a_replaced_card_shows_its_new_number(tell, card, last4):
    card["card"].update(last4="1881", exp_year=2038)
    tell("payment_method.automatically_updated", card)
    assert (last4(), ours(Card).get().exp_year) == ("1881", 2038)


def test_another_card_that_is_replaced_changes_nothing_shown(tell, card, alice, stripe_double, last4):
    other = stripe_double.methods[attach(user=alice, source="tok_amex").id]
    other["card"]["last4"] = "1881"
    tell("payment_method.updated", other)
    assert (last4(), Card.objects.get(pk=other["id"]).last4) == ("4242", "1881")


def test_a_detached_card_is_forgotten(tell, card, last4):
    tell("payment_method.detached", {**card, "customer": None})
    assert (last4(), ours(Card).count()) == (None, 0)


def test_another_card_that_is_detached_changes_nothing_shown(tell, card, alice, stripe_double, last4):
    other = stripe_double.methods[attach(user=alice, source="tok_amex").id]
    tell("payment_method.detached", {**other, "customer": None})
    assert (last4(), [each.last4 for each in ours(Card).all()]) == ("4242", ["4242"])


def test_a_card_that_we_do_not_know_is_answered(tell, card, last4):
    for kind in ("payment_method.updated", "payment_method.detached"):
        tell(kind, {**card, "id": "pm_foreign"})
    assert (last4(), ours(Card).count()) == ("4242", 1)


def test_the_cards_go_with_their_person(card, alice, api):
    assert api.delete(f"/api/users/{alice.pk}").status_code == 200
    assert not ours(Card).exists()
