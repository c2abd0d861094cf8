"""An owner makes links into their group, sees them, and has them end."""

from datetime import datetime, timedelta
from re import fullmatch

import pytest
from django.db.models import F
from django.utils import timezone

from groups.invitations import services
from groups.models import Group, InvitationLink
from tests.groups.invitations.conftest import address
from tests.neighbours import ours


def test_a_link_is_the_clients_page_with_a_token_behind_it(owner, path, settings):
    settings.INVITATION_URL = "https://app.example.com/#/join/"
    answer = owner.post(path, {})
    assert answer.status_code == 201
    made = answer.json()
    assert list(made) == ["id", "url", "token", "maxUses", "uses", "expiresAt", "sentTo"]
    assert fullmatch("[A-Za-z0-9_-]{32}", made["token"])
    assert made["url"] == f"https://app.example.com/#/join/{made['token']}"
    assert (made["maxUses"], made["uses"], made["sentTo"]) == (1, 0, None)
    ends = datetime.fromisoformat(made["expiresAt"]) - timezone.now()
    assert timedelta(days=6, hours=23) < ends <= timedelta(days=7)


def test_the_token_is_shown_once_and_is_nowhere(owner, path):
    token = owner.post(path, {"maxUses": 2, "expiresInDays": 30}).json()["token"]
    (listed,) = owner.get(path).json()
    assert list(listed) == ["id", "maxUses", "uses", "expiresAt", "sentTo"]
    assert token not in str(ours(InvitationLink).values().get())


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"maxUses": 0}, "maxUses"),
        ({"maxUses": 101}, "maxUses"),
        ({"maxUses": 1.5}, "maxUses"),
        ({"maxUses": None}, "maxUses"),
        ({"maxUses": True}, "maxUses"),
        ({"maxUses": "many"}, "maxUses"),
        ({"maxUses": "²"}, "maxUses"),
        ({"maxUses": "9" * 5000}, "maxUses"),
        ({"expiresInDays": 0}, "expiresInDays"),
        ({"expiresInDays": 31}, "expiresInDays"),
        ({"email": "grandma"}, "email"),
        ({"email": f"{'g' * 120}@example.com"}, "email"),
        ({"phoneNumber": "555"}, "phoneNumber"),
        ({"phoneNumber": "+266696687"}, "phoneNumber"),
        ({"email": "grandma@example.com", "phoneNumber": "+12025550123"}, "phoneNumber"),
    ],
)
def test_what_makes_no_link_is_named(owner, path, sent, field):
    answer = owner.post(path, sent)
    assert (answer.status_code, [each["field"] for each in answer.json()["errors"]]) == (400, [field])
    assert not ours(InvitationLink).exists()


@pytest.mark.parametrize("sent", [{"maxUses": 100, "expiresInDays": 1}, {"maxUses": 2.0}, {"maxUses": "3"}])
def test_what_is_a_whole_number_in_the_bounds_is_taken(owner, path, sent):
    assert owner.post(path, sent).json()["maxUses"] == int(sent["maxUses"])


def test_links_are_listed_in_pages(owner, path):
    made = [owner.post(path, {}).json()["id"] for _ in range(3)]
    first = owner.get(f"{path}?limit=2")
    rest = owner.get(first["Link"].partition(">")[0].lstrip("<").removeprefix("http://testserver"))
    assert [each["id"] for each in (*first.json(), *rest.json())] == made


def test_a_longer_list_takes_no_more_queries(owner, path, link_of, alice, django_assert_max_num_queries):
    for _ in range(3):
        link_of(alice)
    owner.get(path)
    with django_assert_max_num_queries(3):  # who asks, what they may, the list
        assert len(owner.get(path).json()) == 3


def test_one_that_is_over_is_not_listed_any_more(owner, path, link_of, alice):
    link_of(alice, now=timezone.now() - timedelta(days=8))
    assert owner.get(path).json() == []


def test_a_link_that_is_deleted_leads_nowhere(owner, stranger, path, link):
    row, token = link
    answer = owner.delete(f"{path}/{row.pk}")
    assert (answer.status_code, answer.json()) == (200, {"count": "1 invitation link deleted"})
    assert stranger.get(address(token)).status_code == 404
    assert stranger.post(f"{address(token)}/accept").status_code == 404
    assert owner.delete(f"{path}/{row.pk}").status_code == 404


def test_a_link_is_listed_and_deleted_in_its_own_group_alone(owner, link, alice):
    other = Group.objects.create(name="Work")
    other.ownerships.create(user=alice)
    assert owner.get(f"/api/groups/{other.pk}/invitationLinks").json() == []
    assert owner.delete(f"/api/groups/{other.pk}/invitationLinks/{link[0].pk}").status_code == 404
    assert ours(InvitationLink).exists()


def test_a_group_has_so_many_links_that_lead_into_it(owner, path, link_of, alice, monkeypatch):
    monkeypatch.setattr(services, "MOST_LINKS", 2)
    link_of(alice, now=timezone.now() - timedelta(days=8))
    assert [owner.post(path, {}).status_code for _ in range(2)] == [201, 201]
    refused = owner.post(path, {})
    assert (refused.status_code, refused.json()["code"]) == (409, "too_many_links")


def test_one_that_is_used_up_leads_nowhere_and_does_not_count(owner, path, link_of, alice, monkeypatch):
    monkeypatch.setattr(services, "MOST_LINKS", 1)
    link_of(alice)
    ours(InvitationLink).update(uses=F("max_uses"))
    assert [owner.post(path, {}).status_code for _ in range(2)] == [201, 409]


def test_a_link_counts_as_an_invitation(owner, path, dave, group, settings):
    settings.THROTTLE_INVITATIONS = (2, 3600)
    assert owner.post(path, {}).status_code == 201
    assert owner.post(f"/api/groups/{group.pk}/groupInvitees", {"userId": dave.pk}).status_code == 201
    refused = owner.post(path, {})
    assert (refused.status_code, refused.json()["code"]) == (429, "throttled")


def test_in_open_mode_nobody_made_it(api, path):
    token = api.post(path, {}).json()["token"]
    assert api.get(address(token)).json()["invitedBy"] is None


def test_a_group_takes_its_links_along(owner, group, link):
    assert owner.delete(f"/api/groups/{group.pk}").status_code == 200
    assert not ours(InvitationLink).exists()
    assert owner.get(address(link[1])).status_code == 404
