"""What operators see of it."""

import pytest

from tests.admin.conftest import browser, root  # noqa: F401  # fixtures
from tests.users.verification.conftest import NUMBER

pytestmark = pytest.mark.django_db


def test_a_persons_page_shows_the_number_and_the_sandboxs_code(sandbox_verify, browser, start, verify, code, alice):  # noqa: F811
    verify(alice, "+12025550199")
    start(alice)
    page = browser.get(f"/admin/users/user/{alice.pk}/change/").content.decode()
    assert "+12025550199" in page
    assert NUMBER in page
    assert code(alice) in page


def test_a_code_that_was_really_sent_is_nobodys_to_see(twilio_verify, browser, start, code, alice):  # noqa: F811
    start(alice)
    page = browser.get(f"/admin/users/user/{alice.pk}/change/").content.decode()
    assert code(alice) not in page
    assert "sent to the telephone alone" in page
