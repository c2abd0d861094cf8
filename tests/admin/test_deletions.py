from typing import Any

import pytest

from billing.ledger import account_of, post_entry
from billing.models import Account, LedgerEntry
from groups.models import Activity, Device, Group, Membership, Participant
from tests.admin.conftest import Browser, delete, delete_together, text
from tests.neighbours import ours
from users.models import User
from voice.models import Call
from voice.telephony.sandbox_telephony import SandboxTelephony


def test_a_deleted_owner_passes_the_group_on(browser: Browser, group: Group, alice: User, bob: User) -> None:
    assert delete(browser, alice).status_code == 302
    assert list(group.ownerships.values_list("user", flat=True)) == [bob.pk]


def test_a_bulk_deletion_passes_the_group_to_who_remains(
    browser: Browser, group: Group, alice: User, bob: User, dave: User
) -> None:
    Membership.objects.create(group=group, user=dave)
    assert delete_together(browser, alice, bob).status_code == 302
    assert list(group.ownerships.values_list("user", flat=True)) == [dave.pk]


def test_a_bulk_deletion_of_everybody_deletes_the_group(browser: Browser, group: Group, alice: User, bob: User) -> None:
    delete_together(browser, alice, bob)
    assert not ours(Group).exists()


@pytest.mark.parametrize("remove", [delete, delete_together])
def test_a_deleted_group_frees_those_on_its_call(browser: Browser, group: Group, bob: User, remove: Any) -> None:
    Participant.objects.create(group=group, user=bob)
    User.objects.filter(pk=bob.pk).update(call_status=True)
    assert remove(browser, group).status_code == 302
    bob.refresh_from_db()
    assert not bob.call_status


def test_a_deleted_group_ends_its_call(
    browser: Browser, group: Group, monkeypatch: pytest.MonkeyPatch, run_jobs: Any
) -> None:
    ended: list[str] = []
    monkeypatch.setattr(SandboxTelephony, "end_call", lambda _, call_sid: not ended.append(call_sid))
    Call.objects.create(sid="CA1", group_id=group.pk)
    delete_together(browser, group)
    run_jobs()
    assert ended == ["CA1"]


@pytest.fixture
def payer(bob: User, group: Group) -> User:
    """Bob, with money, a device and a past."""
    kind = LedgerEntry.Kind.TOP_UP
    post_entry(account=account_of(bob), kind=kind, amount_micros=20_000_000, reference="stripe:pi_1", memo="")
    Device.objects.create(user=bob, identity="u_1", address="a", binding_type="apn", endpoint="e", sid="BS1")
    Activity.objects.create(user=bob, group=group, activity="joined")
    return bob


def test_the_question_before_a_deletion_is_not_blocked_by_read_only_pages(browser: Browser, payer: User) -> None:
    page = text(browser.get(f"/admin/users/user/{payer.pk}/delete/"))
    assert "Are you sure" in page
    assert "joined" in page


@pytest.mark.parametrize("remove", [delete, delete_together])
def test_a_person_with_money_is_deleted_and_the_money_stays(browser: Browser, payer: User, remove: Any) -> None:
    assert remove(browser, payer).status_code == 302
    assert not User.objects.filter(pk=payer.pk).exists()
    account = ours(Account).get()
    assert (account.user_id, account.balance_micros()) == (None, 20_000_000)
    assert "deleted person" in text(browser.get(f"/admin/billing/account/{account.pk}/change/"))
