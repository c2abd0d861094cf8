"""The password is asked once more for money, for deletions and for rights, and nothing that was written is lost."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group as AuthGroup
from django.contrib.auth.models import Permission

from billing.models import LedgerEntry
from groups.models import Group
from tests.admin.conftest import WHY, Browser, read_form, text
from tests.neighbours import ours
from users.models import User

PASSWORD = "correct horse battery"
ASKS = "Your password, once more"
ACCOUNTS = "/admin/billing/account"


@pytest.fixture
def root(root: User) -> User:
    root.set_password(PASSWORD)
    root.save()
    return root


@pytest.fixture
def given(browser: Browser) -> Callable[[float], None]:
    """So many seconds ago the password was."""

    def given(ago: float) -> None:
        session = browser.session
        session["password_given_at"] = time.time() - ago
        session.save()

    return given


@pytest.fixture
def late(browser: Browser, given: Callable[[float], None]) -> Browser:
    """Eleven minutes after it was."""
    given(660)
    return browser


def go_on(browser: Browser, path: str, page: Any, password: str = PASSWORD) -> Any:
    """What the page that asks sends, with the password."""
    return browser.post(path, {**read_form(page), "password_once_more": password}, follow=True)


def test_an_adjustment_waits_for_it_and_loses_nothing(late, account):
    path = f"{ACCOUNTS}/{account.pk}/adjust/"
    reason = "A call \u201cthat\u201d <broke> & ended"
    page = late.post(path, {**late.form(path), "amount": "5", "reason": reason})
    assert ASKS in text(page)
    assert not ours(LedgerEntry).exists()
    assert "Adjusted by $5.00" in text(go_on(late, path, page))
    assert ours(LedgerEntry).get().memo == reason


def test_a_refund_waits_for_it(late, account, opened, stripe_double):
    path = f"{ACCOUNTS}/{account.pk}/refund/"
    page = late.post(path, {**opened, "amount": "7"})
    assert (ASKS in text(page), stripe_double.books) == (True, [2000])
    assert "Gave back $7.00" in text(go_on(late, path, page))


@pytest.mark.parametrize("kind", ["user", "group"])
def test_a_deletion_waits_for_it(late, group, bob, kind):
    path = f"/admin/users/user/{bob.pk}/delete/" if kind == "user" else f"/admin/groups/group/{group.pk}/delete/"
    rows = User.objects.filter(pk=bob.pk) if kind == "user" else ours(Group).all()
    page = late.post(path, {"post": "yes", "why": WHY})
    assert (ASKS in text(page), rows.exists()) == (True, True)
    assert "deleted successfully" in text(go_on(late, path, page))
    assert not rows.exists()


def test_deletions_together_wait_for_it_with_all_that_was_chosen(late, alice, bob, dave):
    path = "/admin/users/user/"
    chosen = {"action": "delete_selected", "_selected_action": [alice.pk, bob.pk]}
    assert "Are you sure" in text(late.post(path, chosen))
    page = late.post(path, {**chosen, "post": "yes"})
    assert text(page).count('name="_selected_action"') == 2
    late.post(path, {**chosen, "post": "yes", "why": WHY, "password_once_more": PASSWORD})
    assert set(ours(User).values_list("display_name", flat=True)) == {"Root", "Dave"}


def test_another_persons_password_waits_for_it(late, bob):
    path = f"/admin/users/user/{bob.pk}/password/"
    given = {"usable_password": "true", "password1": "staple battery", "password2": "staple battery"}
    page = late.post(path, given)
    assert ASKS in text(page)
    go_on(late, path, page)
    bob.refresh_from_db()
    assert bob.check_password("staple battery")


@pytest.mark.parametrize(
    ("change", "waits"), [({"is_staff": "on"}, True), ({"email": "r@example.com"}, True), ({"first_name": "R"}, False)]
)
def test_rights_and_the_email_wait_for_it_and_a_name_does_not(late, bob, change, waits):
    path = f"/admin/users/user/{bob.pk}/change/"
    page = late.post(path, {**late.form(path), **change}, follow=True)
    assert (ASKS in text(page)) == waits
    if waits:
        go_on(late, path, page)
    bob.refresh_from_db()
    assert str(getattr(bob, next(iter(change)))) == {"on": "True"}.get(*change.values(), *change.values())


@pytest.mark.parametrize("field", ["groups", "user_permissions"])
def test_single_rights_and_those_of_a_group_of_staff_wait_for_it_too(late, bob, field):
    path = f"/admin/users/user/{bob.pk}/change/"
    right = {"groups": AuthGroup.objects.create(name="Helpers"), "user_permissions": Permission.objects.first()}[field]
    page = late.post(path, {**late.form(path), field: [right.pk]})
    assert (ASKS in text(page), getattr(bob, field).exists()) == (True, False)
    go_on(late, path, page)
    assert list(getattr(bob, field).all()) == [right]


def test_unbinding_waits_for_it(late, bob):
    User.objects.filter(pk=bob.pk).update(oidc_issuer="https://i.example.com", oidc_subject="1")
    page = late.post("/admin/users/user/", {"action": "unbind_sign_in", "_selected_action": bob.pk})
    assert ASKS in text(page)
    assert User.objects.get(pk=bob.pk).oidc_subject == "1"


def test_it_is_not_asked_again_for_ten_minutes(late, account):
    path = f"{ACCOUNTS}/{account.pk}/adjust/"
    go_on(late, path, late.post(path, {**late.form(path), "amount": "5", "reason": "Sorry"}))
    assert "Adjusted by $1.00" in text(late.post(path, {**late.form(path), "amount": "1", "reason": "x"}, follow=True))


@pytest.mark.parametrize(("ago", "asks"), [(590, False), (610, True), (-60, True)])
def test_it_is_good_for_ten_minutes_and_not_before_it_was_given(browser, given, account, ago, asks):
    given(ago)
    path = f"{ACCOUNTS}/{account.pk}/adjust/"
    page = browser.post(path, {**browser.form(path), "amount": "5", "reason": "Sorry"}, follow=True)
    assert (ASKS in text(page)) is asks


def test_giving_it_makes_a_new_key(late, account):
    before = late.session.session_key
    path = f"{ACCOUNTS}/{account.pk}/adjust/"
    go_on(late, path, late.post(path, {**late.form(path), "amount": "5", "reason": "Sorry"}))
    assert late.session.session_key != before


def test_a_wrong_one_does_nothing_says_so_and_is_told_in_the_log(late, root, account, log):
    path = f"{ACCOUNTS}/{account.pk}/adjust/"
    page = late.post(path, {**late.form(path), "amount": "5", "reason": "Sorry"})
    again = go_on(late, path, page, "wrong-sesame")
    assert "This is not your password." in text(again)
    assert "sesame" not in text(again) + str(log.lines)
    (line,) = log.named("users.operators.password")
    assert (line["user_id"], line["address"]) == (root.pk, "127.0.0.1")
    assert not ours(LedgerEntry).exists()
    assert "Adjusted by $5.00" in text(go_on(late, path, again))


def test_a_wrong_one_counts_also_while_none_is_asked_for(browser, account):
    """Or the form would be a way to try them."""
    path = f"{ACCOUNTS}/{account.pk}/adjust/"
    sent = {**browser.form(path), "amount": "5", "reason": "Sorry", "password_once_more": "wrong"}
    assert "This is not your password." in text(browser.post(path, sent))


def test_after_five_wrong_ones_the_session_is_over(late, account):
    path = f"{ACCOUNTS}/{account.pk}/adjust/"
    sent = {**late.form(path), "amount": "5", "reason": "Sorry"}
    answers = [late.post(path, {**sent, "password_once_more": f"wrong {n}"}) for n in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 302]
    assert late.get("/admin/").status_code == 302
    assert not ours(LedgerEntry).exists()


def test_wrong_ones_before_a_right_one_are_forgotten(late, given, account):
    path = f"{ACCOUNTS}/{account.pk}/adjust/"
    sent = {**late.form(path), "amount": "5", "reason": "Sorry"}

    def answers(*passwords):
        return [late.post(path, {**sent, "password_once_more": each}).status_code for each in passwords]

    assert answers("wrong", "wrong", "wrong", "wrong", PASSWORD) == [200, 200, 200, 200, 302]
    given(660)
    assert answers("wrong", "wrong", "wrong", "wrong") == [200] * 4
    assert late.get("/admin/").status_code == 200


def test_no_page_deletes_without_it(late, db):
    """Whatever is registered, also by Django and by who comes after us."""
    for model in admin.site._registry:
        path = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        assert ASKS in text(late.post(f"{path}1/delete/", {"post": "yes"})), path
        assert ASKS in text(late.post(path, {"action": "delete_selected", "post": "yes"})), path


def test_of_a_person_who_is_gone_it_says_so_and_asks_for_no_password(late, bob):
    path = f"/admin/users/user/{bob.pk}/change/"
    filled = {**late.form(path), "email": "another@example.com"}
    assert ASKS in text(late.post(path, filled))
    bob.delete()
    page = text(late.post(path, filled, follow=True))
    assert (ASKS in page, "Perhaps it was deleted?" in page) == (False, True)
