"""Places that operators take away in the admin."""

import pytest
from django.utils import timezone

from tests.admin.conftest import browser, root  # noqa: F401  # fixtures
from voice.conferences.presence import STAYS


@pytest.fixture
def talk(line, alice, bob):
    line.join(alice)
    line.join(bob)
    return line


@pytest.fixture
def post(browser, committed):  # noqa: F811  # a fixture
    """Changes a page as a browser posts it."""

    def post(path, **changes):
        form = {name: value for name, value in {**browser.form(path), **changes}.items() if value is not None}
        with committed():
            assert browser.post(path, form).status_code == 302

    return post


@pytest.mark.parametrize("row", ["memberships-1", "participants-1"])
def test_whose_row_is_taken_off_a_groups_page_is_hung_up_on(talk, post, group, row):
    post(f"/admin/groups/group/{group.pk}/change/", **{f"{row}-DELETE": "on"})
    assert talk.ended() == ["Bob"]


def test_a_member_who_owns_the_group_talks_on(talk, post, group):
    post(f"/admin/groups/group/{group.pk}/change/", **{"memberships-0-DELETE": "on"})
    assert talk.ended() == []


def test_whose_account_is_disabled_is_hung_up_on(talk, post, bob):
    post(f"/admin/users/user/{bob.pk}/change/", is_active=None)
    assert talk.ended() == ["Bob"]


@pytest.mark.parametrize("kind", ["groups/group", "users/user"])
def test_a_deletion_of_selected_rows_ends_their_legs(talk, browser, committed, group, bob, kind):  # noqa: F811
    chosen = group.pk if kind == "groups/group" else bob.pk
    with committed():
        sent = {"action": "delete_selected", "_selected_action": [chosen], "post": "yes", "why": "Over"}
        browser.post(f"/admin/{kind}/", sent)
    assert talk.ended() == (["Alice", "Bob"] if kind == "groups/group" else ["Bob"])


@pytest.mark.alone
@pytest.mark.parametrize("kind", ["groups/group", "users/user"])
def test_a_call_status_that_an_operator_sets_counts_from_then_on(post, reconcile, group, bob, kind):
    row = group if kind == "groups/group" else bob
    type(row).objects.update(call_status_at=timezone.now() - STAYS * 2)
    post(f"/admin/{kind}/{row.pk}/change/", call_status="on")
    reconcile()
    row.refresh_from_db()
    assert row.call_status
