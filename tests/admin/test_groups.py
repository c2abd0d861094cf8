from typing import Any

import pytest

from groups.models import Group, Invitation, Membership, Ownership, Participant
from groups.notifications.models import Notice
from groups.services import LastOwner
from tests.admin.conftest import Browser, read_form, text
from tests.neighbours import ours
from users.models import User
from voice.models import GroupCall

ADD = "/admin/groups/group/add/"


def page_of(group: Group) -> str:
    return f"/admin/groups/group/{group.pk}/change/"


def row(people: str, number: int, user: User) -> dict[str, Any]:
    """A new row of an inline."""
    return {f"{people}-TOTAL_FORMS": number + 1, f"{people}-{number}-user": user.pk}


def test_a_group_is_made_with_its_people(browser: Browser, alice: User, bob: User) -> None:
    people = {**row("ownerships", 0, alice), **row("memberships", 0, bob)}
    assert browser.post(ADD, {**browser.form(ADD), "name": "Choir", **people}).status_code == 302
    group = Group.objects.get(name="Choir")
    assert list(group.ownerships.values_list("user", flat=True)) == [alice.pk]
    assert list(group.memberships.values_list("user", flat=True)) == [bob.pk]


def test_saving_a_page_untouched_changes_nothing(browser: Browser, group: Group) -> None:
    tables = (Group, Ownership, Membership, Invitation, Participant)
    before = [list(table.objects.values()) for table in tables]
    assert browser.post(page_of(group), browser.form(page_of(group))).status_code == 302
    assert [list(table.objects.values()) for table in tables] == before


def test_a_new_member_is_no_longer_invited(browser: Browser, group: Group, carol: User) -> None:
    browser.post(page_of(group), {**browser.form(page_of(group)), **row("memberships", 2, carol)})
    assert group.memberships.filter(user=carol).exists()
    assert not group.invitations.exists()


def test_who_is_put_on_a_list_is_no_invitee_of_the_same_number(
    browser: Browser, group: Group, carol: User, dave: User
) -> None:
    number = Membership.objects.latest("pk").pk + 1
    Invitation.objects.create(pk=number, group=Group.objects.create(name="Choir"), user=dave)
    browser.post(page_of(group), {**browser.form(page_of(group)), **row("memberships", 2, carol)})
    assert group.memberships.get(user=carol).pk == number
    assert not Notice.objects.exists()


def test_a_new_invitee_hears_of_it(browser: Browser, group: Group, dave: User) -> None:
    browser.post(page_of(group), {**browser.form(page_of(group)), **row("invitations", 1, dave)})
    assert {*Notice.objects.values_list("user", flat=True)} == {dave.pk}


def test_who_is_put_on_members_and_invitees_at_once_is_a_member_and_hears_of_no_invitation(
    browser: Browser, group: Group, dave: User
) -> None:
    both = {**row("memberships", 2, dave), **row("invitations", 1, dave)}
    browser.post(page_of(group), {**browser.form(page_of(group)), **both})
    assert group.memberships.filter(user=dave).exists()
    assert not ours(Invitation).filter(user=dave).exists()
    assert not ours(Notice).exists()


def test_a_member_is_taken_off(browser: Browser, group: Group, bob: User) -> None:
    browser.post(page_of(group), {**browser.form(page_of(group)), "memberships-1-DELETE": "on"})
    assert not group.memberships.filter(user=bob).exists()
    assert group.ownerships.exists()


def test_who_is_taken_off_can_be_put_on_again_at_once(browser: Browser, group: Group, bob: User) -> None:
    form = {**browser.form(page_of(group)), "memberships-1-DELETE": "on", **row("memberships", 2, bob)}
    before = group.memberships.get(user=bob)
    assert browser.post(page_of(group), form).status_code == 302
    assert group.memberships.get(user=bob).pk != before.pk


def test_a_row_never_changes_hands(browser: Browser, group: Group, dave: User) -> None:
    browser.post(page_of(group), {**browser.form(page_of(group)), "memberships-1-user": dave.pk})
    assert not group.memberships.filter(user=dave).exists()


def test_a_person_is_on_a_list_once(browser: Browser, group: Group, bob: User) -> None:
    form = {**browser.form(page_of(group)), "name": "Choir", **row("memberships", 2, bob)}
    page = browser.post(page_of(group), form)
    assert "Please correct the duplicate data for user." in text(page)
    assert read_form(page)["name"] == "Choir"
    assert group.memberships.count() == 2


def test_who_is_on_another_groups_list_can_be_put_on_this_one(browser: Browser, group: Group, dave: User) -> None:
    Membership.objects.create(group=Group.objects.create(name="Choir"), user=dave)
    browser.post(page_of(group), {**browser.form(page_of(group)), **row("memberships", 2, dave)})
    assert group.memberships.filter(user=dave).exists()


def test_who_is_no_longer_invited_here_still_is_elsewhere(browser: Browser, group: Group, carol: User) -> None:
    choir = Group.objects.create(name="Choir")
    Invitation.objects.create(group=choir, user=carol)
    browser.post(page_of(group), {**browser.form(page_of(group)), **row("memberships", 2, carol)})
    assert ours(Invitation).get().group == choir


@pytest.mark.parametrize("people", [Ownership, Membership])
def test_who_has_come_meanwhile_is_not_put_on_the_list_twice(
    browser: Browser, group: Group, dave: User, people: type[Ownership | Membership]
) -> None:
    name = f"{people._meta.model_name}s"
    form = browser.form(page_of(group))
    new = row(name, int(str(form[f"{name}-TOTAL_FORMS"])), dave)
    people.objects.create(group=group, user=dave)
    assert "is on this list already." in text(browser.post(page_of(group), {**form, **new}))
    assert people.objects.filter(group=group, user=dave).count() == 1


def test_the_last_owner_stays_while_there_are_members(browser: Browser, group: Group) -> None:
    form = {**browser.form(page_of(group)), "name": "Choir", "ownerships-0-DELETE": "on"}
    page = browser.post(page_of(group), form)
    assert page.status_code == 200
    assert LastOwner.default_detail.replace("'", "&#x27;") in text(page)
    assert read_form(page)["name"] == "Choir"
    assert group.ownerships.exists()


def test_an_owner_goes_where_another_comes(browser: Browser, group: Group, bob: User) -> None:
    form = {**browser.form(page_of(group)), "ownerships-0-DELETE": "on", **row("ownerships", 1, bob)}
    assert browser.post(page_of(group), form).status_code == 302
    assert list(group.ownerships.values_list("user", flat=True)) == [bob.pk]


def test_an_empty_new_row_is_no_owner(browser: Browser, group: Group) -> None:
    form = {**browser.form(page_of(group)), "ownerships-0-DELETE": "on", "ownerships-TOTAL_FORMS": 2}
    assert browser.post(page_of(group), form).status_code == 200
    assert group.ownerships.exists()


def test_an_owner_who_is_another_groups_does_not_count(browser: Browser, group: Group, bob: User) -> None:
    Ownership.objects.create(group=Group.objects.create(name="Choir"), user=bob)
    form = {**browser.form(page_of(group)), "ownerships-0-DELETE": "on"}
    assert browser.post(page_of(group), form).status_code == 200


def test_one_of_two_owners_goes(browser: Browser, group: Group, alice: User, bob: User) -> None:
    Ownership.objects.create(group=group, user=bob)
    form = {**browser.form(page_of(group)), "ownerships-0-DELETE": "on"}
    assert browser.post(page_of(group), form).status_code == 302
    assert group.ownerships.count() == 1


def test_a_new_owner_who_is_taken_back_at_once_is_none(browser: Browser, group: Group, bob: User) -> None:
    new = {**row("ownerships", 1, bob), "ownerships-1-DELETE": "on"}
    form = {**browser.form(page_of(group)), "ownerships-0-DELETE": "on", **new}
    assert LastOwner.default_detail.replace("'", "&#x27;") in text(browser.post(page_of(group), form))
    assert group.ownerships.exists()


def test_a_group_that_nobody_owns_is_saved_where_a_new_owner_is_taken_back(
    browser: Browser, group: Group, bob: User
) -> None:
    group.ownerships.all().delete()
    new = {**row("ownerships", 0, bob), "ownerships-0-DELETE": "on"}
    assert browser.post(page_of(group), {**browser.form(page_of(group)), "name": "Choir", **new}).status_code == 302
    assert ours(Group).get().name == "Choir"


def test_a_group_without_an_owner_can_still_be_changed(browser: Browser, group: Group) -> None:
    group.ownerships.all().delete()
    browser.post(page_of(group), {**browser.form(page_of(group)), "name": "Choir"})
    assert ours(Group).get().name == "Choir"


def test_a_group_needs_a_name(browser: Browser, group: Group) -> None:
    page = browser.post(page_of(group), {**browser.form(page_of(group)), "name": "", "phone_number": "555"})
    assert "This field is required." in text(page)
    assert read_form(page)["phone_number"] == "555"


@pytest.mark.parametrize("people", ["ownership", "membership", "invitation", "participant"])
def test_a_person_is_picked_by_typing(browser: Browser, bob: User, people: str) -> None:
    picked = {"app_label": "groups", "model_name": people, "field_name": "user", "term": "bob"}
    answer = browser.get("/admin/autocomplete/", picked).json()
    assert answer["results"] == [{"id": str(bob.pk), "text": str(bob)}]


def test_of_a_groups_call_an_operator_changes_the_language_and_nothing_else(browser: Browser, group: Group) -> None:
    rules = GroupCall.objects.create(group=group, captions=True)
    before, page = GroupCall.objects.values().get(pk=rules.pk), f"/admin/voice/groupcall/{rules.pk}/change/"
    others = {"locked": "on", "end_when_alone": "", "captions": "", "captions_language": "de-DE", "captions_keep": ""}
    form = {**browser.form(page), **others, "language": "de-DE"}
    assert browser.post(page, form).status_code == 302
    assert GroupCall.objects.values().get(pk=rules.pk) == {**before, "language": "de-DE"}
    assert browser.get(page.replace("change", "delete")).status_code == 403
