"""Who is let in to follow what, by what, and what is said to everybody else."""

from datetime import timedelta
from time import time

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from core.streams import OPENING, SEATS, Seats
from groups.models import Membership
from tests.live.events import events_of
from tests.neighbours import ours
from users.models import StreamTicket, User
from users.sign_in.local_issuer import local_token

pytestmark = pytest.mark.django_db


@pytest.fixture
def signed_in(sign_in):
    def signed_in(user):
        User.objects.filter(pk=user.pk).update(email=user.email)
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {local_token(user.email)}")
        return client

    return signed_in


def names(answer):
    return [event.name for event in events_of(answer.content)]


def test_in_open_mode_somebody_must_be_named(api, alice):
    assert api.get("/api/live").status_code == 400
    assert api.get(f"/api/live?userId={alice.pk}").status_code == 200
    assert api.get("/api/live?userId=99999").status_code == 404
    assert api.get("/api/live?groupId=99999").status_code == 404


def test_a_group_that_is_not_the_callers_is_not_there(signed_in, group, bob, dave):
    assert signed_in(bob).get(f"/api/live?groupId={group.pk}").status_code == 200
    assert signed_in(dave).get(f"/api/live?groupId={group.pk}").status_code == 404


def test_a_ticket_lets_its_holder_in_once(signed_in, group, bob):
    ticket = signed_in(bob).post("/api/live/tickets").json()["ticket"]
    nobody = APIClient()
    assert names(nobody.get(f"/api/live?ticket={ticket}")) == ["ready"]
    again = nobody.get(f"/api/live?ticket={ticket}")
    assert (again.status_code, again.json()["code"]) == (401, "ticket_invalid")


def test_a_ticket_ends_with_what_its_holder_signed_in_by_however_that_was_sent(signed_in, bob):
    client = signed_in(bob)
    ends = {}
    for spaces in (1, 3):
        client.credentials(HTTP_AUTHORIZATION=f"Bearer{' ' * spaces}{local_token(bob.email, seconds=600)} ")
        assert client.post("/api/live/tickets").status_code == 201
        ends[spaces] = ours(StreamTicket).latest("pk").signed_in_until - timezone.now()
    assert all(timedelta(seconds=590) < left <= timedelta(seconds=631) for left in ends.values()), ends


def test_a_ticket_that_is_over_or_made_up_lets_nobody_in(signed_in, bob):
    ticket = signed_in(bob).post("/api/live/tickets").json()["ticket"]
    row = ours(StreamTicket).get()
    ours(StreamTicket).update(until=row.until - timedelta(seconds=31))
    for tried in (ticket, "made up", ""):
        assert APIClient().get("/api/live", {"ticket": tried}).status_code == 401


@pytest.mark.parametrize(
    "place", ["nonsense", "0", "AQ", "é", "A" * 5000, "AQBrDGy4AQFTriqcK_gBAQEEOjwrXCkKAQIBBIo6OZ70Fx"]
)
def test_from_a_place_that_is_none_all_is_to_be_read_again(api, alice, place):
    assert names(api.get("/api/live", {"userId": alice.pk, "lastEventId": place})) == ["ready", "reset"]


def place_of(api, user):
    return events_of(api.get(f"/api/live?userId={user.pk}").content)[0].id


def test_from_anothers_place_too(api, alice, bob):
    answer = api.get("/api/live", {"userId": alice.pk, "lastEventId": place_of(api, bob)})
    assert names(answer) == ["ready", "reset"]


def test_from_an_old_place_or_one_of_the_future_too(api, group, alice, monkeypatch):
    place = place_of(api, alice)
    for hours in (-2, 2):
        with monkeypatch.context() as patched:
            now = time() + 3600 * hours
            patched.setattr("groups.live.views.time", lambda now=now: now)
            answer = api.get("/api/live", {"userId": alice.pk, "lastEventId": place})
        assert names(answer) == ["ready", "reset"]


def test_from_a_place_that_is_known_nothing_is_told_twice(api, group, alice):
    answer = api.get("/api/live", {"userId": alice.pk}, headers={"Last-Event-ID": place_of(api, alice)})
    assert names(answer) == ["ready"]


def test_who_is_removed_is_told_that_the_group_is_gone_and_nothing_more(signed_in, group, bob):
    client = signed_in(bob)
    place = events_of(client.get("/api/live").content)[0].id
    Membership.objects.filter(user=bob).delete()
    group.name = "Secret"
    group.save()
    events = events_of(client.get("/api/live", headers={"Last-Event-ID": place}).content)
    assert [event.name for event in events] == ["ready", "groups", "accountBalance", "group"]
    assert events[-1].data == {"groupId": group.pk, "group": None}


def test_beyond_twenty_streams_one_is_told_what_to_do(api, alice):
    front = {SEATS: Seats()}
    answers = [api.get(f"/api/live?userId={alice.pk}", **front) for _ in range(21)]
    assert [each.status_code for each in answers] == [200] * 20 + [429]
    assert "Close one" in answers[-1].json()["detail"]
    opening = answers[0].wsgi_request.META[OPENING]
    front[SEATS].give_back(opening.seat)
    assert api.get(f"/api/live?userId={alice.pk}", **front).status_code == 200
