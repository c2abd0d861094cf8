"""Who may no more when their turn comes moves no money: it is asked once more, under the account's lock."""

import pytest
from rest_framework.exceptions import PermissionDenied

from billing import top_ups
from billing.cards import replace_default
from billing.ledger import account_of, adjust, set_balance
from billing.models import RefundRequest, TopUp
from billing.refunds import refund
from tests.conftest import forbid
from tests.neighbours import ours

WRITES = {
    "a refund": lambda user: refund(
        top_up=TopUp.objects.get(account__user=user), amount_cents=500, key="k", check=forbid
    ),
    "an adjustment": lambda user: adjust(
        account=user.account, amount_micros=1_000_000, reference="adjustment:1", memo="", check=forbid
    ),
    "a balance that is set": lambda user: set_balance(user=user, balance_micros=0, memo="", check=forbid),
    "a payment": lambda user: top_ups.add_money(user=user, amount_cents=500, check=forbid),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_who_may_no_more_moves_nothing(paid, stripe_double, entries, alice, write):
    alice.refresh_from_db()
    with pytest.raises(PermissionDenied):
        write(alice)
    assert (entries(), stripe_double.books) == ([("top_up", 2000)], [2000])
    assert (ours(TopUp).count(), ours(RefundRequest).count()) == (1, 0)


def test_who_is_deleted_before_their_payment_begins_pays_nothing(
    stripe_payments, stripe_double, api, alice, monkeypatch
):
    replace_default(user=alice, source="tok_visa")
    account = account_of(alice)

    def goes(point):
        if point == "before_topup_row":
            assert api.delete(f"/api/users/{alice.pk}").status_code == 200

    monkeypatch.setattr(top_ups, "failpoint", goes)
    answer = api.post("/api/billing/addMoney", {"userId": alice.pk, "amountToAdd": 20})
    assert answer.status_code == 404
    assert (stripe_double.books, account.top_ups.count()) == ([], 0)
