"""The sandbox's e-mails in the admin."""

import pytest
from django.contrib.auth.models import Permission

from groups.notifications.models import SandboxEmail
from tests.admin.conftest import browser, helper, root, text  # noqa: F401  # fixtures


@pytest.fixture
def email(db):
    return SandboxEmail.objects.create(
        to="anna@example.com",
        subject="A letter",
        text="Hello.",
        html="<p style='color:red'>Hello.</p><script>1</script>",
    )


def test_they_are_listed_and_looked_at(browser, email):  # noqa: F811
    assert "anna@example.com" in text(browser.get("/admin/notifications/sandboxemail/"))
    page = text(browser.get(f"/admin/notifications/sandboxemail/{email.pk}/change/"))
    assert f"/admin/notifications/sandboxemail/{email.pk}/letter/" in page


def test_a_letter_is_shown_as_it_is_and_can_do_nothing(browser, email):  # noqa: F811
    answer = browser.get(f"/admin/notifications/sandboxemail/{email.pk}/letter/")
    assert answer.content.decode() == email.html
    policy = answer["Content-Security-Policy"]
    assert {"default-src 'none'", "sandbox", "form-action 'none'"} <= set(policy.split("; "))
    assert "script-src" not in policy


def test_it_is_for_operators_alone(client, email):
    assert client.get(f"/admin/notifications/sandboxemail/{email.pk}/letter/").status_code == 302


@pytest.mark.parametrize(("right", "status"), [("view_sandboxemail", 200), ("view_sandboxmessage", 403)])
def test_an_operator_needs_the_right_to_look_at_them(helper, bob, email, right, status):  # noqa: F811
    bob.user_permissions.set(Permission.objects.filter(codename=right))
    assert helper.get(f"/admin/notifications/sandboxemail/{email.pk}/letter/").status_code == status


def test_what_is_not_there_is_404(browser, db):  # noqa: F811
    assert browser.get("/admin/notifications/sandboxemail/9/letter/").status_code == 404
