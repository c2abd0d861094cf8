"""Cards that the bank refuses: five an hour for a person and for a customer at Stripe, whatever they do in between."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connections
from django.test import Client as Browser

from billing.gateway.interface import CardDeclined, NoCard, PaymentsUnavailable, UnusableSource
from billing.models import CardRefusal, TopUp
from billing.refused_cards import CardsRefusedTooOften, counting_refusals, old_refusals
from tests.conftest import person
from tests.neighbours import ours
from users.models import User

pytestmark = pytest.mark.django_db

DECLINED = "tok_chargeDeclined"


@pytest.fixture
def add_card(api):
    def add_card(user, source=DECLINED):
        return api.post("/api/billing/updateCreditCard", {"userId": user.pk, "sourceId": source})

    return add_card


@pytest.fixture
def five_refused(add_card, alice):
    assert [add_card(alice).status_code for _ in range(5)] == [402] * 5


@pytest.mark.usefixtures("five_refused")
def test_the_sixth_is_not_tried(api, add_card, alice, bob):
    answer = add_card(alice)
    assert (answer.status_code, answer.json()["code"]) == (429, "cards_refused_too_often")
    assert 3500 < int(answer["Retry-After"]) <= 3600
    assert answer.json()["detail"].endswith("Try again in 60 minutes.")
    assert add_card(alice, "tok_visa").status_code == 429
    alice.refresh_from_db()
    beside = {"userStripeId": alice.stripe_id, "sourceId": "tok_visa"}
    assert api.post("/api/billing/attachSourceToCustomer", beside).status_code == 429
    assert add_card(bob).status_code == 402
    assert ours(CardRefusal).count() == 6
    assert ours(CardRefusal).values_list("who").distinct().count() == 2


@pytest.mark.alone
def test_a_payment_is_refused_in_words_and_asks_no_bank(api, add_card, alice):
    assert add_card(alice, "tok_chargeCustomerFail").status_code == 200
    for _ in range(5):
        api.post("/api/billing/addMoney", {"userId": alice.pk, "amountToAdd": 20})
    answer = api.post("/api/billing/addMoney", {"userId": alice.pk, "amountToAdd": 20})
    assert answer.status_code == 200
    assert answer.json()["errorMessage"].startswith("Cards were refused several times")
    assert CardRefusal.objects.filter(amount_cents=2000).count() == 5
    assert not TopUp.objects.filter(status="pending").exists()


def test_what_the_bank_accepts_counts_for_nothing(add_card, alice):
    assert [add_card(alice, "tok_visa").status_code for _ in range(7)] == [200] * 7


@pytest.mark.parametrize("reason", [NoCard, PaymentsUnavailable])
def test_what_the_bank_has_not_refused_is_no_refusal_however_often(alice, reason):
    for _ in range(7):
        with pytest.raises(reason), counting_refusals(user=alice, customer="cus_1"):
            raise reason
    assert not ours(CardRefusal).exists()


def test_who_pays_without_a_card_is_told_so_however_often(api, alice):
    for _ in range(7):
        answer = api.post("/api/billing/addMoney", {"userId": alice.pk, "amountToAdd": 20})
        assert answer.json() == {"errorMessage": "There is no card on file. Add one first."}
    assert not ours(CardRefusal).exists()


@pytest.mark.usefixtures("five_refused")
def test_who_deletes_themself_and_signs_up_again_is_not_tried_either(api, add_card, alice):
    api.delete(f"/api/users/{alice.pk}")
    again = api.post("/api/users", {"email": alice.email.upper()}).json()
    assert add_card(User.objects.get(pk=again["id"])).status_code == 429


@pytest.mark.parametrize("reason", [CardDeclined, UnusableSource])
def test_a_customer_counts_whoever_pays_with_it(reason):
    for number in range(5):
        with pytest.raises(reason), counting_refusals(user=person(f"P{number}"), customer="cus_1"):
            raise reason
    with pytest.raises(CardsRefusedTooOften), counting_refusals(user=person("Eve"), customer="cus_1"):
        pass


def test_people_who_are_gone_are_not_counted_together():
    for number in range(6):
        with pytest.raises(CardDeclined), counting_refusals(user=None, customer=f"cus_{number}"):
            raise CardDeclined
    assert CardRefusal.objects.filter(user=None, who="").count() == 6


@pytest.mark.django_db(transaction=True)
def test_of_ten_at_once_five_reach_the_bank(on_postgresql, alice):
    asked, ready = [], Barrier(10)

    def try_card(_):
        ready.wait()
        try:
            with counting_refusals(user=alice, customer="cus_1"):
                asked.append(1)
                raise CardDeclined
        except (CardDeclined, CardsRefusedTooOften) as error:
            return type(error)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(try_card, range(10)))
    assert (len(asked), answers.count(CardsRefusedTooOften)) == (5, 5)


@pytest.mark.usefixtures("five_refused")
def test_staff_see_each_refusal_and_after_a_deletion_no_name(api, alice):
    root = person("Root", is_staff=True, is_superuser=True)
    browser = Browser()
    browser.force_login(root)
    page = browser.get("/admin/billing/cardrefusal/").content.decode()
    assert page.count("Your card was declined.") == 5
    assert alice.email in page
    api.delete(f"/api/users/{alice.pk}")
    assert alice.email not in browser.get("/admin/billing/cardrefusal/").content.decode()
    assert ours(CardRefusal).values_list("who").distinct().count() == 1


@pytest.mark.usefixtures("five_refused")
def test_refusals_are_old_after_three_months():
    newest = ours(CardRefusal).latest("created_at").created_at
    assert old_refusals(newest).count() == 0
    assert old_refusals(newest + timedelta(days=90) - timedelta(hours=1)).count() == 0
    assert old_refusals(newest + timedelta(days=90)).count() == 5
