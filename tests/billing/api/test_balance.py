from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from billing.ledger import account_of, post_entry, set_balance
from billing.models import LedgerEntry
from tests.billing.lifted import triggers_lifted
from tests.neighbours import ours


@pytest.fixture
def put(api, alice):
    return lambda body: api.put(f"/api/users/{alice.pk}/accountBalance", body)


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (12.5, "12.50"),
        ("12.50", "12.50"),
        (0, "0.00"),
        (-3.1, "-3.10"),
        (7, "7.00"),
        (10**9, "1000000000.00"),
        (-(10**9), "-1000000000.00"),
    ],
)
def test_the_balance_is_set_and_the_account_answered(put, sent, shown):
    assert put({"accountBalance": sent}).json()["accountBalance"] == shown


def test_what_is_between_is_posted_as_an_adjustment(put):
    put({"accountBalance": 10})
    put({"accountBalance": 4})
    amounts = ours(LedgerEntry).order_by("id").values_list("kind", "amount_micros")
    assert list(amounts) == [("adjustment", 10_000_000), ("adjustment", -6_000_000)]


def test_the_balance_is_after_the_last_entry_whatever_the_clock_said_then(put, alice):
    put({"accountBalance": 10})
    with triggers_lifted():
        ours(LedgerEntry).update(created_at=timezone.now() + timedelta(hours=1))  # it was ahead
    for sent in (4, 3):
        put({"accountBalance": sent})
    assert (alice.account.balance_micros(), ours(LedgerEntry).latest("id").amount_micros) == (3_000_000, -1_000_000)


def test_nothing_between_posts_nothing(put):
    put({"accountBalance": 10})
    put({"accountBalance": "10.00"})
    put({})
    assert ours(LedgerEntry).count() == 1


@pytest.mark.parametrize("sent", ["12.505", 12.505, "x", None, True, [], "1e3", "9" * 13, ""])
def test_another_balance_is_refused(put, sent):
    assert put({"accountBalance": sent}).status_code == 400


@pytest.mark.parametrize("sent", ["1000000000.01", "-1000000000.01", "-999999999999"])
def test_more_than_a_billion_is_refused_on_either_side_of_nothing(put, sent):
    answer = put({"accountBalance": sent})
    assert (answer.status_code, "a billion dollars" in answer.json()["detail"]) == (400, True)
    assert not ours(LedgerEntry).exists()


def test_other_fields_are_refused(put):
    assert put({"balance": 5}).status_code == 400


def test_nobody_has_no_balance(api, db):
    assert api.get("/api/users/999/accountBalance").status_code == 404
    assert api.put("/api/users/999/accountBalance", {"accountBalance": 1}).status_code == 404


def test_one_outside_thing_is_posted_once(alice):
    entry = {
        "account": account_of(alice),
        "kind": LedgerEntry.Kind.TOP_UP,
        "amount_micros": 5,
        "reference": "stripe:pi_1",
        "memo": "Twice",
    }
    assert post_entry(**entry) == post_entry(**entry)
    alice.refresh_from_db()
    assert alice.account_balance_micros == 5


@pytest.mark.parametrize("change", [{"amount_micros": 1}, {"memo": "another"}])
def test_the_database_refuses_to_change_an_entry(alice, change):
    set_balance(user=alice, balance_micros=5, memo="")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        ours(LedgerEntry).update(**change)


def test_the_database_refuses_to_delete_an_entry(alice):
    set_balance(user=alice, balance_micros=5, memo="")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute('DELETE FROM "ledgerEntries"')
    assert ours(LedgerEntry).count() == 1
