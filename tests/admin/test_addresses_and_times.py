"""An address that somebody typed is no fault of the server, and a time names its zone."""

import pytest

from tests.admin.conftest import Browser, text
from tests.admin.rows import fill


@pytest.mark.parametrize("name", ["users/user", "groups/group", "groups/activity", "billing/ledgerentry", "voice/call"])
@pytest.mark.parametrize(
    "query",
    [
        *("created_at__year=99999", "created_at__year=-1", "created_at__year=0", "created_at__year=1" + "0" * 30),
        *("created_at__day=99999999999999999999", "created_at__gte=99999-01-01", "created_at__gte=x"),
        *("id__exact=99999999999999999999", "id__exact=x", "p=99999999999999999999", "o=9.9", "q=%00"),
    ],
)
def test_a_filter_that_no_row_can_match_is_no_fault(browser: Browser, name: str, query: str) -> None:
    fill(0, 1)
    answer = browser.get(f"/admin/{name}/?{query}", follow=True)
    assert answer.status_code in (200, 400)


@pytest.mark.parametrize(
    "path", ["users/user/", "users/user/{user}/change/", "users/user/{user}/history/", "billing/ledgerentry/"]
)
def test_a_time_names_its_zone(browser: Browser, path: str) -> None:
    fill(0, 1)
    user = int(browser.session["_auth_user_id"])
    browser.post(
        f"/admin/users/user/{user}/change/", {**browser.form(f"/admin/users/user/{user}/change/"), "last_name": "R"}
    )
    page = text(browser.get(f"/admin/{path}".format(user=user)))
    assert (" UTC" in page, "a.m.<" in page or "p.m.<" in page) == (True, False)
