"""Whoever has a link may look at it, and join by it."""

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from groups.models import Departure, Group, Invitation, InvitationLink, Membership, Ownership
from tests.access.rows import all_rows, changed
from tests.conftest import Client
from tests.groups.invitations.conftest import address
from tests.neighbours import ours
from users.models import User


def accept(client, token):
    return client.post(f"{address(token)}/accept")


def uses():
    return ours(InvitationLink).get().uses


def test_anybody_sees_what_they_are_invited_to(issuer, link):
    answer = Client().get(address(link[1]))
    assert answer.status_code == 200
    assert answer.json() == {"groupName": "Family", "invitedBy": "Alice", "expiresAt": answer.json()["expiresAt"]}
    assert Client().get(address(link[1]), headers={"Authorization": "Bearer none"}).status_code == 200


def test_what_is_asked_by_a_token_is_kept_nowhere_and_passed_on_to_nobody(stranger, link):
    for answer in (stranger.get(address(link[1])), stranger.get(address("x")), accept(stranger, link[1])):
        assert (answer["Cache-Control"], answer["Referrer-Policy"]) == ("no-store", "no-referrer")


def test_who_accepts_is_a_member_and_is_answered_the_group(stranger, link, group, dave):
    answer = accept(stranger, link[1])
    assert answer.status_code == 200
    assert list(answer.json()) == ["id", "name", "phoneNumber", "callStatus", "createdAt"]
    assert answer.json() == stranger.get(f"/api/groups/{group.pk}").json()
    assert group.memberships.filter(user=dave).count() == uses() == 1


def test_twice_is_once(stranger, link):
    assert [accept(stranger, link[1]).status_code for _ in range(2)] == [200, 200]
    assert uses() == 1


def test_a_link_that_is_used_up_lets_nobody_else_in(stranger, invitee, link):
    accept(stranger, link[1])
    assert accept(invitee, link[1]).status_code == 404
    assert Client().get(address(link[1])).status_code == 404


@pytest.mark.parametrize("caller", ["owner", "member"])
def test_who_is_in_the_group_uses_nothing_up(request, caller, link):
    client, before = request.getfixturevalue(caller), all_rows()
    assert accept(client, link[1]).status_code == 200
    assert changed(before, all_rows()) == []


def test_an_owner_who_is_no_member_stays_so(stranger, link, group, dave):
    Ownership.objects.create(group=group, user=dave)
    assert accept(stranger, link[1]).status_code == 200
    assert (uses(), group.memberships.filter(user=dave).exists()) == (0, False)


def test_who_was_invited_by_name_is_invited_no_longer(invitee, link, carol):
    assert accept(invitee, link[1]).status_code == 200
    assert not Invitation.objects.filter(user=carol).exists()


def over(link):
    ours(InvitationLink).update(expires_at=timezone.now())


def deleted(link):
    link.delete()


def used_up(link):
    ours(InvitationLink).update(uses=1)


def of_who_left(link):
    ours(Ownership).all().delete()
    Membership.objects.filter(user=link.made_by).delete()


def of_who_left_for_another_group(link):
    of_who_left(link)
    other = Group.objects.create(name="Choir")
    for people in (Ownership, Membership):
        people.objects.create(group=other, user=link.made_by)


def of_who_is_disabled(link):
    User.objects.filter(pk=link.made_by.pk).update(is_active=False)


def of_who_is_gone(link):
    link.made_by.delete()


@pytest.mark.parametrize(
    "ended",
    [
        *(over, deleted, used_up),
        *(of_who_left, of_who_left_for_another_group, of_who_is_disabled, of_who_is_gone),
    ],
)
def test_one_that_has_ended_looks_like_one_that_never_was(stranger, link, ended):
    ended(link[0])
    unknown = stranger.get(address("A" * 32))
    before = all_rows()
    for answer in (stranger.get(address(link[1])), accept(stranger, link[1]), accept(stranger, "A" * 32)):
        assert (answer.status_code, answer.content) == (404, unknown.content)
    assert changed(before, all_rows()) == []


def test_the_link_of_one_who_is_an_owner_no_more_but_a_member_leads_in(stranger, link, group, alice, bob):
    Ownership.objects.create(group=group, user=bob)
    Ownership.objects.filter(user=alice).delete()
    assert accept(stranger, link[1]).status_code == 200


def test_so_does_that_of_one_who_owns_it_and_is_no_member(stranger, link, alice):
    Membership.objects.filter(user=alice).delete()
    assert accept(stranger, link[1]).status_code == 200


def test_staff_from_outside_invite_in_nobodys_name(signed_in, dave, path):  # a fixture
    User.objects.filter(pk=dave.pk).update(is_staff=True)
    token = signed_in(dave).post(path, {}).json()["token"]
    assert Client().get(address(token)).json()["invitedBy"] is None


def test_who_was_put_out_does_not_come_back_by_the_same_link(owner, stranger, link_of, alice, dave, group):
    token = link_of(alice, max_uses=5)[1]
    accept(stranger, token)
    owner.delete(f"/api/groups/{group.pk}/groupMembers/{dave.pk}")
    assert accept(stranger, token).status_code == 404
    assert (uses(), group.memberships.filter(user=dave).exists()) == (1, False)
    assert accept(stranger, link_of(alice)[1]).status_code == 200


def test_who_left_and_joins_again_by_another_link_has_left_no_more(stranger, link_of, alice, dave, group):
    accept(stranger, link_of(alice)[1])
    stranger.delete(f"/api/groups/{group.pk}/groupMembers/{dave.pk}")
    assert ours(Departure).exists()
    accept(stranger, link_of(alice)[1])
    assert not ours(Departure).exists()


def test_a_use_stays_one_when_its_person_deletes_themself(stranger, link, dave):
    accept(stranger, link[1])
    stranger.delete(f"/api/users/{dave.pk}")
    assert (uses(), Client().get(address(link[1])).status_code) == (1, 404)


def test_whoever_is_not_signed_in_is_asked_to(issuer, link):
    answer = accept(Client(), link[1])
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


def test_who_has_no_account_yet_signs_up_and_joins(issuer, link, group):
    eve = Client()
    eve.credentials(HTTP_AUTHORIZATION=f"Bearer {issuer.token('eve@example.com', sub='eve')}")
    refused = accept(eve, link[1])
    assert (refused.status_code, refused.json()["code"], uses()) == (403, "not_signed_up", 0)
    assert eve.post("/api/users", {"email": "eve@example.com"}).status_code == 201
    assert accept(eve, link[1]).status_code == 200
    assert group.memberships.filter(user__email="eve@example.com").exists()


def test_a_disabled_person_is_not_let_in(stranger, link, dave):
    User.objects.filter(pk=dave.pk).update(is_active=False)
    assert accept(stranger, link[1]).json()["code"] == "account_disabled"
    assert uses() == 0


def test_in_open_mode_the_body_says_who_joins(api, link, dave, group):
    nobody = accept(api, link[1])
    assert (nobody.status_code, [each["field"] for each in nobody.json()["errors"]]) == (400, ["userId"])
    assert api.post(f"{address(link[1])}/accept", {"userId": 10**12}).status_code == 404
    assert api.post(f"{address(link[1])}/accept", {"userId": dave.pk}).status_code == 200
    assert group.memberships.filter(user=dave).exists()


def test_nobody_is_let_in_for_somebody_else(stranger, link, bob):
    assert stranger.post(f"{address(link[1])}/accept", {"userId": bob.pk}).status_code == 403


@pytest.mark.parametrize("token", ["x", "é" * 32, "%00", "A" * 3000, "%F0%9F%91%B5", "1"])
def test_a_token_that_is_none_leads_nowhere(db, token):
    assert APIClient().get(address(token)).status_code == 404


def test_a_token_is_known_by_its_own_case(link):
    assert APIClient().get(address(link[1].swapcase())).status_code == 404


def test_links_lead_in_under_another_secret_too(stranger, link, settings):
    settings.SECRET_KEY = "another one, and long enough that nobody complains of it 0123456789"
    assert stranger.get(address(link[1])).status_code == 200
