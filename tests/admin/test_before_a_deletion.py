"""Before the button of a deletion the page says what follows: money, calls, and what becomes of groups."""

import re
from typing import Any

import pytest

from billing.ledger import account_of, post_entry
from billing.models import Dispute, LedgerEntry, TopUp
from groups.models import Group, Invitation, Membership, Ownership
from tests.admin.conftest import Browser, delete, delete_together, text
from tests.neighbours import ours
from users.models import User
from voice.models import Call


@pytest.fixture
def says(browser: Browser) -> Any:
    """What stands before the button when these people are to be deleted, without its links, ids and emails."""

    def says(*people: User) -> list[str]:
        if len(people) == 1:
            page = text(browser.get(f"/admin/users/user/{people[0].pk}/delete/"))
        else:
            page = text(delete_together(browser, *people, post=""))
        sentences = re.findall(r'<li class="warning">(.*?)</li>', page.partition('type="submit" value="Yes')[0])
        return [re.sub(r"<.*?>|#\d+ (\S+@\S+ )?", "", sentence) for sentence in sentences]

    return says


def give(user: User, micros: int) -> None:
    kind, reference = LedgerEntry.Kind.ADJUSTMENT, f"adjustment:{user.pk}"
    post_entry(account=account_of(user), kind=kind, amount_micros=micros, reference=reference, memo="")


def test_of_whom_nothing_follows_nothing_is_said(says: Any, dave: User, carol: User) -> None:
    assert says(dave) == says(dave, carol) == []


def test_money_that_they_hold(says: Any, bob: User) -> None:
    give(bob, 12_345_600)
    account = bob.account
    assert says(bob) == [f"Bob holds $12.3456. It stays on Account {account.pk}, from which it can be given back."]


def test_money_that_they_owe(says: Any, bob: User) -> None:
    give(bob, -80_000)
    assert says(bob) == [f"Bob owes $0.08. The debt stays on Account {bob.account.pk}."]


def test_payments_that_are_under_way_or_disputed(says: Any, bob: User) -> None:
    account = account_of(bob)
    for status in ("pending", "consent", "refused"):
        TopUp.objects.create(account=account, customer="cus_1", amount_cents=2000, status=status)
    for name, settled in (("du_1", False), ("du_2", True)):
        fields = {"payment": "pi_1", "amount_cents": 700, "status": "needs_response", "settled": settled}
        Dispute.objects.create(id=name, account=account, **fields)
    under_way = f"A payment of $20.00 by Bob is under way. What comes of it goes to Account {account.pk}."
    assert says(bob) == [under_way, under_way, "A payment by Bob is disputed, of $7.00."]


def test_a_call_that_they_are_on(says: Any, bob: User, group: Group) -> None:
    Call.objects.create(sid="CA1", user_id=bob.pk, group_id=group.pk)
    Call.objects.create(sid="CA2", user_id=bob.pk, group_id=group.pk, end_time="2026-11-22T12:00Z")
    assert says(bob) == ["Bob is on a call of the group Family. It is ended for them."]


def test_to_whom_a_group_passes(says: Any, alice: User, bob: User, group: Group) -> None:
    assert (says(alice), says(bob)) == (["The group Family passes to Bob."], [])


def test_a_group_that_ends(says: Any, alice: User, bob: User, carol: User, group: Group) -> None:
    ends = "The group Family ends, with all that was said there: nobody else is in it."
    assert says(alice, bob) == [ends]
    Membership.objects.create(group=group, user=carol)
    assert says(alice, bob) == ["The group Family passes to Carol."]


def test_a_group_with_another_owner_stays_as_it_is(says: Any, alice: User, bob: User, group: Group) -> None:
    Ownership.objects.create(group=group, user=bob)
    assert says(alice) == []


def test_a_group_that_nobody_owns_passes_to_nobody(says: Any, alice: User, bob: User, dave: User, group: Group) -> None:
    """Also beside one that somebody does."""
    group.ownerships.all().delete()
    Ownership.objects.create(group=Group.objects.create(name="Choir"), user=dave)
    Group.objects.create(name="Of nobody")
    assert says(bob) == []


def test_names_are_text(says: Any, browser: Browser, bob: User, group: Group) -> None:
    ours(Group).update(name="<script>")
    User.objects.filter(pk=bob.pk).update(display_name="<b>Bob</b>")
    Call.objects.create(sid="CA1", user_id=bob.pk, group_id=group.pk)
    page = text(browser.get(f"/admin/users/user/{bob.pk}/delete/"))
    assert ("<script>" in page.partition("content-main")[2], "<b>Bob" in page) == (False, False)


@pytest.mark.parametrize("together", [False, True])
def test_what_is_foretold_is_what_happens(
    browser: Browser, says: Any, alice: User, bob: User, carol: User, group: Group, *, together: bool
) -> None:
    """For each of the groups that an owner leaves."""
    for number, members in enumerate([(), (bob,), (carol, bob), (bob, carol)]):
        other = Group.objects.create(name=f"Other {number}")
        Ownership.objects.create(group=other, user=alice)
        for member in members:
            Membership.objects.create(group=other, user=member)
    Invitation.objects.create(group=Group.objects.get(name="Other 0"), user=carol)
    goers = (alice, bob) if together else (alice,)
    foretold = says(*goers)
    names = dict(ours(Group).values_list("pk", "name"))
    delete_together(browser, *goers) if together else delete(browser, alice)
    owners = {row.group_id: row.user.display_name for row in Ownership.objects.select_related("user")}
    ends = "ends, with all that was said there: nobody else is in it."
    assert foretold == [
        f"The group {name} passes to {owners[pk]}." if pk in owners else f"The group {name} {ends}"
        for pk, name in names.items()
    ]
