"""What the apps ask where sign-in is on: always as oneself."""

import pytest

pytestmark = pytest.mark.django_db


def test_a_token_for_calls_is_ones_own_whatever_is_asked(member, bob, alice):
    for identity in ("", f"?identity=u_{alice.pk}", "?identity=5"):
        answer = member.get(f"/api/voice/accessToken{identity}", headers={"Accept": "application/json"})
        assert answer.json()["identity"] == f"u_{bob.pk}"


def test_a_device_is_ones_own_and_hears_ones_own_groups(stranger, dave, alice, group):
    asked = {"identity": f"u_{alice.pk}", "Address": "token", "tags": [group.pk]}
    answer = stranger.post("/api/voice/registerBinding", asked)
    assert (answer.status_code, answer.json()["identity"], answer.json()["tags"]) == (201, f"u_{dave.pk}", [])


def test_only_ones_own_device_is_forgotten(member, stranger, owner, bob):
    member.post("/api/voice/registerBinding", {"Address": "token", "endpoint": "mine"})
    for client, count in ((stranger, 0), (owner, 0), (member, 1)):
        answer = client.delete("/api/voice/registerBinding", {"Address": "token"})
        assert answer.json()["count"].startswith(f"{count} device")


@pytest.fixture
def notify(settings, group):
    settings.THROTTLE_NOTIFICATIONS = (1, 60)
    return lambda client: client.post("/api/voice/sendNotification", {"FriendlyName": str(group.pk)})


def test_a_group_is_notified_once_a_minute(member, owner, notify):
    assert notify(member).status_code == 200
    assert notify(owner).status_code == 429


def test_who_may_not_notify_a_group_does_not_use_up_its_minute(stranger, invitee, member, notify):
    assert [notify(client).status_code for client in (stranger, invitee, member)] == [404, 403, 200]
