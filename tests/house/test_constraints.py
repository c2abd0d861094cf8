"""What the database itself refuses, whoever writes it."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from billing.ledger import account_of, post_entry
from billing.models import LedgerEntry, TopUp
from users.models import User
from voice.models import Call

NOW = timezone.now()


@pytest.fixture
def refused():
    def refused(work):
        with pytest.raises(DatabaseError), transaction.atomic():
            work()

    return refused


def entry(account, kind, amount, reference="x"):
    return LedgerEntry.objects.create(
        account=account, kind=kind, amount_micros=amount, balance_after_micros=0, reference=reference, memo=""
    )


@pytest.mark.parametrize(
    ("kind", "amount"),
    [("top_up", -1), ("top_up", 0), ("dispute", 1), ("dispute_won", -1), ("call", 0), ("adjustment", 0), ("gift", 1)],
)
def test_an_entry_is_of_a_known_kind_and_moves_money_its_way(refused, alice, kind, amount):
    refused(lambda: entry(account_of(alice), kind, amount))


@pytest.mark.parametrize("kind", ["call", "refund", "adjustment", "opening_balance"])
@pytest.mark.parametrize("amount", [1, -1])
def test_what_may_be_corrected_moves_money_either_way(alice, kind, amount):
    assert entry(account_of(alice), kind, amount).pk


def test_two_people_are_not_one_customer(refused, alice, bob):
    User.objects.filter(pk=alice.pk).update(stripe_id="cus_1")
    refused(lambda: User.objects.filter(pk=bob.pk).update(stripe_id="cus_1"))


@pytest.mark.parametrize("half", [{"oidc_issuer": "https://issuer.example.com"}, {"oidc_subject": "7"}])
def test_a_sign_in_is_whole_or_none(refused, alice, half):
    refused(lambda: User.objects.filter(pk=alice.pk).update(**half))


@pytest.fixture
def top_up(alice):
    kind = LedgerEntry.Kind.TOP_UP
    posted = post_entry(account=account_of(alice), kind=kind, amount_micros=5, reference="stripe:pi_1", memo="")
    return {"account": posted.account, "entry": posted, "amount_cents": 1, "status": "succeeded"}


def test_a_top_up_is_made_with_an_entry_of_its_own_account(refused, top_up, bob):
    assert TopUp.objects.create(**top_up).pk
    TopUp.objects.all().delete()
    refused(lambda: TopUp.objects.create(**{**top_up, "account": account_of(bob)}))


def test_a_top_up_does_not_come_to_another_accounts_entry(refused, top_up, bob):
    made = TopUp.objects.create(account=account_of(bob), amount_cents=1)
    refused(lambda: TopUp.objects.filter(pk=made.pk).update(entry=top_up["entry"], status="succeeded"))


@pytest.mark.parametrize(
    "wrong", [{"start_time": NOW, "end_time": NOW - timedelta(seconds=1)}, {"price_micros": 1}], ids=["time", "price"]
)
def test_a_call_ends_after_its_start_and_costs_no_less_than_nothing(refused, db, wrong):
    refused(lambda: Call.objects.create(sid="CA1", **wrong))
