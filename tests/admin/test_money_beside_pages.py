"""A page that an operator has open does not write back what moved meanwhile."""

import pytest

from billing.ledger import account_of, post_entry
from users.models import User


def top_up(user):
    post_entry(account=account_of(user), kind="top_up", amount_micros=50_000_000, reference="stripe:pi_1", memo="")


def test_saving_a_person_who_was_read_before_a_top_up_leaves_the_balance(alice):
    read_before = User.objects.get(pk=alice.pk)
    top_up(alice)
    read_before.display_name = "Al"
    read_before.save()
    alice.refresh_from_db()
    assert (alice.display_name, alice.account_balance_micros) == ("Al", 50_000_000)


def test_a_persons_page_writes_what_was_changed_alone(browser, alice, monkeypatch):
    path = f"/admin/users/user/{alice.pk}/change/"
    form = browser.form(path)
    User.objects.filter(pk=alice.pk).update(last4="4242", stripe_id="cus_1")
    browser.post(path, {**form, "display_name": "Al"}, follow=True)
    alice.refresh_from_db()
    assert (alice.display_name, alice.last4, alice.stripe_id) == ("Al", "4242", "cus_1")


@pytest.mark.django_db(transaction=True)
def test_a_balance_that_was_read_before_a_top_up_is_not_set(on_postgresql, api, alice):
    from tests.voice.conferences.test_event_races import at_once

    path, answers = f"/api/users/{alice.pk}/accountBalance", []
    tag = api.get(path)["ETag"]

    def put():
        answers.append(api.put(path, {"accountBalance": 5}, headers={"If-Match": tag}).status_code)

    at_once(lambda: top_up(alice), put)
    alice.refresh_from_db()
    assert (answers, alice.account_balance_micros) == ([412], 50_000_000)
