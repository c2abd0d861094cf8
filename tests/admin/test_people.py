import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from billing.models import Account
from groups.models import Group
from tests.admin.conftest import Browser, read_form, text
from tests.neighbours import ours
from users.models import User, VerifiedNumber

ADD = "/admin/users/user/add/"


def page_of(user: User) -> str:
    return f"/admin/users/user/{user.pk}/change/"


def test_a_new_person_needs_no_password(browser: Browser) -> None:
    form = browser.form(ADD)
    answer = browser.post(ADD, {**form, "email": "erin@example.com", "display_name": "Erin"})
    erin = User.objects.get(email="erin@example.com")
    assert answer["Location"] == page_of(erin)
    assert not erin.has_usable_password()


def test_a_new_operator_can_be_given_a_password(browser: Browser) -> None:
    password = {"usable_password": "true", "password1": "staple battery", "password2": "staple battery"}
    browser.post(ADD, {"email": "erin@example.com", "display_name": "Erin", **password})
    assert User.objects.get(email="erin@example.com").check_password("staple battery")


def test_a_bad_form_shows_its_errors_and_loses_nothing(browser: Browser, bob: User) -> None:
    password = {"usable_password": "true", "password1": "staple battery", "password2": "stable battery"}
    page = browser.post(ADD, {"email": "BOB@example.com", "display_name": "Bobby", **password})
    assert page.status_code == 200
    assert "Somebody else has this email." in text(page)
    assert "The two password fields didn’t match." in text(page)
    assert read_form(page)["display_name"] == "Bobby"
    assert ours(User).count() == 2


def test_saving_a_page_untouched_changes_nothing(browser: Browser, bob: User) -> None:
    before = ours(User).values().get(pk=bob.pk)
    assert browser.post(page_of(bob), browser.form(page_of(bob))).status_code == 302
    assert ours(User).values().get(pk=bob.pk) == before


def test_a_person_is_changed(browser: Browser, bob: User) -> None:
    form = browser.form(page_of(bob))
    browser.post(page_of(bob), {**form, "display_name": "Robert", "phone_number": "12025550123"})
    bob.refresh_from_db()
    assert (bob.display_name, bob.phone_number) == ("Robert", 12025550123)


def test_a_phone_number_that_is_nobodys_is_refused(browser: Browser, bob: User) -> None:
    page = browser.post(page_of(bob), {**browser.form(page_of(bob)), "phone_number": "266696687"})
    assert "No telephone has this number." in text(page)
    bob.refresh_from_db()
    assert bob.phone_number is None


def test_one_from_before_does_not_keep_an_operator_from_changing_the_rest(browser: Browser, bob: User) -> None:
    User.objects.filter(pk=bob.pk).update(phone_number=266696687)
    browser.post(page_of(bob), {**browser.form(page_of(bob)), "display_name": "Robert"})
    bob.refresh_from_db()
    assert (bob.display_name, bob.phone_number) == ("Robert", 266696687)


def test_a_phone_number_and_a_picture_are_taken_away(browser: Browser, bob: User) -> None:
    User.objects.filter(pk=bob.pk).update(phone_number=12025550123, avatar="https://example.com/bob.jpg")
    form = {**browser.form(page_of(bob)), "phone_number": "", "avatar": ""}
    assert browser.post(page_of(bob), form).status_code == 302
    bob.refresh_from_db()
    assert (bob.phone_number, bob.avatar) == (None, None)


def test_a_first_picture_is_given(browser: Browser, bob: User) -> None:
    form = {**browser.form(page_of(bob)), "avatar": "https://example.com/bob.jpg"}
    assert browser.post(page_of(bob), form).status_code == 302
    bob.refresh_from_db()
    assert bob.avatar == "https://example.com/bob.jpg"


def test_a_picture_that_no_page_may_open_is_refused_and_one_from_before_stays(browser: Browser, bob: User) -> None:
    page = browser.post(page_of(bob), {**browser.form(page_of(bob)), "avatar": "javascript:alert(1)"})
    assert 'class="errorlist"' in text(page)
    User.objects.filter(pk=bob.pk).update(avatar="javascript:alert(1)")
    assert browser.post(page_of(bob), {**browser.form(page_of(bob)), "first_name": "Bob"}).status_code == 302
    bob.refresh_from_db()
    assert (bob.avatar, bob.first_name) == ("javascript:alert(1)", "Bob")


def test_an_email_that_somebody_has_in_other_letters_is_refused(browser: Browser, alice: User, bob: User) -> None:
    form = browser.form(page_of(bob))
    page = browser.post(page_of(bob), {**form, "email": "Alice@Example.com"})
    assert "Somebody else has this email." in text(page)
    assert read_form(page)["email"] == "Alice@Example.com"


def test_an_email_may_change_its_letters(browser: Browser, bob: User) -> None:
    assert browser.post(page_of(bob), {**browser.form(page_of(bob)), "email": "Bob@example.com"}).status_code == 302


@pytest.mark.parametrize("field", ["is_staff", "is_superuser", "groups", "user_permissions"])
def test_who_is_no_superuser_hands_out_no_rights(helper: Browser, bob: User, alice: User, field: str) -> None:
    for person in (alice, bob):
        right = Permission.objects.filter(codename="change_group").first()
        form = helper.form(page_of(person))
        assert field not in form
        helper.post(page_of(person), {**form, field: right.pk if field == "user_permissions" else "1"})
        person.refresh_from_db()
        assert (person.is_superuser, person.groups.exists()) == (False, False)
        assert right not in person.user_permissions.all()
    assert not alice.is_staff


@pytest.mark.parametrize("field", ["account_balance_micros", "balance", "last4", "stripe_id"])
def test_money_cannot_be_written_on_a_person(browser: Browser, bob: User, field: str) -> None:
    form = browser.form(page_of(bob))
    assert field not in form
    browser.post(page_of(bob), {**form, field: "9999"})
    bob.refresh_from_db()
    assert (bob.account_balance_micros, bob.last4, bob.stripe_id) == (None, None, None)


def test_a_password_is_changed(browser: Browser, bob: User) -> None:
    path = f"/admin/users/user/{bob.pk}/password/"
    password = {"usable_password": "true", "password1": "staple battery", "password2": "staple battery"}
    assert browser.post(path, password).status_code == 302
    bob.refresh_from_db()
    assert bob.check_password("staple battery")


def test_a_person_shows_their_groups_and_account(browser: Browser, group: Group, alice: User) -> None:
    account = Account.objects.create(user=alice)
    page = text(browser.get(page_of(alice)))
    assert page.count(f'<a href="/admin/groups/group/{group.pk}/change/">{group}</a>') == 2
    assert f"/admin/billing/account/{account.pk}/change/" in page


def test_a_persons_balance_is_shown_in_dollars(browser: Browser, bob: User) -> None:
    User.objects.filter(pk=bob.pk).update(account_balance_micros=12_345_678)
    assert "$12.34" in text(browser.get(page_of(bob)))
    assert '<td class="field-balance">$12.34</td>' in text(browser.get("/admin/users/user/"))


def test_a_debt_is_shown_in_dollars(browser: Browser, bob: User) -> None:
    User.objects.filter(pk=bob.pk).update(account_balance_micros=-80_000)
    assert "-$0.08" in text(browser.get(page_of(bob)))


def test_the_history_of_a_person_opens(browser: Browser, bob: User) -> None:
    browser.post(page_of(bob), {**browser.form(page_of(bob)), "display_name": "Robert"})
    assert "Changed Display name." in text(browser.get(f"/admin/users/user/{bob.pk}/history/"))


@pytest.mark.parametrize(
    ("words", "found"),
    [
        *(("+1 202 555 0123", "Bob"), (" (202) 555-0123 ", "Bob"), ("12025550123", "Bob")),
        *(("030 12345678", "Carol"), ("+49 30 12345678", "Carol"), ("45678", "Carol")),
        *(("5678", None), ("202555", None), ("12025550124", None)),
    ],
)
def test_people_are_found_by_how_their_number_ends(
    browser: Browser, bob: User, carol: User, words: str, found: str | None
) -> None:
    User.objects.filter(pk=bob.pk).update(phone_number=12025550123)
    VerifiedNumber.objects.create(user=carol, number="+493012345678", verified_at=timezone.now())
    rows = browser.get("/admin/users/user/", {"q": words}).context["cl"].result_list
    assert [row.display_name for row in rows] == ([found] if found else [])
