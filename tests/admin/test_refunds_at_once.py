"""Two operators, or one who clicks twice, give back money of one payment at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest
from django.db import connections

from billing import refunds
from billing.ledger import adjust
from billing.models import RefundRequest
from tests.neighbours import ours

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def at_the_same_moment(on_postgresql, opened, browser, account, monkeypatch):
    """Two operators send a refund form each: both have come before either money is reserved, and the second comes to
    reserve while Stripe is being asked by the first. What the forms answered."""
    both, reserved, tried = Barrier(2, timeout=20), Event(), Event()

    def meet(point):
        if point == "before_refund":
            if both.wait():
                reserved.wait(20)
        elif not reserved.is_set():
            reserved.set()
            tried.wait(20)

    def send(form):
        try:
            return browser.post(f"/admin/billing/account/{account.pk}/refund/", form, follow=True).content.decode()
        finally:
            tried.set()
            connections.close_all()

    def at_the_same_moment(*cents, **changes):
        monkeypatch.setattr(refunds, "failpoint", meet)
        other = browser.form(f"/admin/billing/account/{account.pk}/refund/")
        forms = [{**form, "top_up": opened["top_up"], **changes} for form in (opened, other)]
        forms = [{**form, "amount": f"{amount / 100}"} for form, amount in zip(forms, cents, strict=True)]
        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(send, forms))

    return at_the_same_moment


@pytest.mark.parametrize("more", [0, 100], ids=["nothing else", "money enough"])
@pytest.mark.parametrize("cents", [(2000, 2000), (1200, 1200), (1999, 2)])
def test_of_two_refunds_of_one_payment_no_more_goes_back_than_it_brought(
    at_the_same_moment, stripe_double, balance, account, cents, more
):
    if more:
        adjust(account=account, amount_micros=more * 1_000_000, reference="adjustment:1", memo="")
    answers = at_the_same_moment(*cents)
    assert sum("Gave back" in answer for answer in answers) == len(stripe_double.refunds) == 1
    assert sum('class="errorlist' in answer for answer in answers) == 1
    back = next(iter(stripe_double.refunds.values()))["amount"]
    assert (back in cents, balance()) == (True, f"{20 + more - back / 100:.2f}")


def test_of_two_refunds_that_one_payment_has_room_for_both_go_back(at_the_same_moment, stripe_double, balance):
    assert sum("Gave back" in answer for answer in at_the_same_moment(1200, 800)) == 2
    assert (stripe_double.books, balance()) == ([0], "0.00")


def test_one_form_that_is_sent_twice_at_once_gives_back_once(at_the_same_moment, opened, stripe_double, balance):
    at_the_same_moment(700, 700, key=opened["key"])
    assert (stripe_double.books, balance(), ours(RefundRequest).get().status) == ([1300], "13.00", "made")
