"""A stream shows its own person what is theirs at this moment, and is over when they may not be told any more."""

from math import inf
from time import time

import pytest
from rest_framework.test import APIClient

from core.streams import OPENING, SEATS, Opening, Seats
from groups.live import places
from groups.live.follower import Follower
from groups.live.places import Mark
from groups.live.watch import Watch
from groups.models import Group, Membership, Ownership
from tests.conftest import person
from tests.live.events import events_of
from tests.neighbours import ours
from users.models import User
from users.sign_in.local_issuer import local_token

pytestmark = pytest.mark.django_db
STREAM = "/api/live"


@pytest.fixture
def signed_in(sign_in):
    def signed_in(user):
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {local_token(user.email)}")
        return client

    return signed_in


@pytest.fixture
def other():
    """A group that is Zoe's alone."""
    group = Group.objects.create(name="Neighbours")
    Ownership.objects.create(group=group, user=person("Zoe"))
    return group


def status(client, *groups, **more):
    return client.get(STREAM, {"groupId": [group.pk for group in groups], **more}).status_code


class TestDoor:
    def test_of_several_groups_all_must_be_the_callers(self, signed_in, group, other, bob):
        bobs = signed_in(bob)
        assert [status(bobs, group), status(bobs, group, other), status(bobs, other)] == [200, 404, 404]

    def test_staff_may_follow_any_group_that_is_named(self, signed_in, group, other, dave):
        User.objects.filter(pk=dave.pk).update(is_staff=True)
        daves = signed_in(dave)
        assert [status(daves, group, other), status(daves)] == [200, 200]
        assert status(daves, Group(pk=99999)) == 404

    def test_in_open_mode_whoever_is_staff_sees_through_their_own_eyes(self, api, group, other, alice):
        User.objects.filter(pk=alice.pk).update(is_staff=True)
        assert status(api, group, other) == 200  # through nobody's
        assert status(api, group, userId=alice.pk) == 200
        assert status(api, other, userId=alice.pk) == 404

    def test_who_was_invited_follows_the_group(self, signed_in, group, carol):
        assert status(signed_in(carol), group) == 200

    def test_the_header_says_where_to_go_on_whatever_the_address_says(self, api, group, alice):
        place = events_of(api.get(STREAM, {"userId": alice.pk}).content)[0].id
        for header, query, expected in ((place, "0", ["ready"]), ("0", place, ["ready", "reset"])):
            asked = {"userId": alice.pk, "lastEventId": query}
            heard = events_of(api.get(STREAM, asked, headers={"Last-Event-ID": header}).content)
            assert [event.name for event in heard] == expected

    def opening(self, client, **query):
        answer = client.get(STREAM, query, **{SEATS: Seats()})
        assert answer.status_code == 200
        return answer.wsgi_request.META[OPENING]

    def test_by_a_ticket_it_ends_when_the_token_ends_by_which_that_was_asked_for(self, signed_in, group, bob):
        bobs = signed_in(bob)
        until = self.opening(bobs).until
        assert time() < until < inf
        by_ticket = self.opening(APIClient(), ticket=bobs.post("/api/live/tickets").json()["ticket"])
        assert abs(by_ticket.until - until) < 1

    def test_in_open_mode_it_does_not_end_with_any_token(self, api, alice):
        assert self.opening(api, userId=alice.pk).until == inf
        ticket = api.post("/api/live/tickets").json()["ticket"]
        assert self.opening(APIClient(), ticket=ticket, userId=alice.pk).until == inf

    def test_each_has_seats_of_their_own(self, signed_in, group, alice, bob):
        assert {self.opening(signed_in(user)).seat for user in (alice, bob)} == {
            f"person:{alice.pk}",
            f"person:{bob.pk}",
        }

    def test_whoever_is_signed_in_sees_through_their_own_eyes_whomever_they_name(self, signed_in, group, alice, dave):
        assert self.opening(signed_in(dave), userId=alice.pk).person == dave.pk

    def test_who_asks_for_the_head_alone_takes_no_seat(self, api, alice):
        seats = Seats()
        answer = api.head(STREAM, {"userId": alice.pk}, **{SEATS: seats})
        assert (answer.status_code, answer.content, dict(seats.taken)) == (200, b"", {})
        assert OPENING not in answer.wsgi_request.META
        assert api.head(STREAM, {"userId": alice.pk}).content == b""

    def test_no_proxy_keeps_events_back(self, api, alice):
        answer = api.get(STREAM, {"userId": alice.pk})
        assert (answer["X-Accel-Buffering"], answer["Cache-Control"]) == ("no", "no-store")

    LOST = {
        "disabled": ({"is_active": False}, 403),
        "unbound": ({"oidc_issuer": None, "oidc_subject": None}, 401),
    }

    @pytest.mark.parametrize(("fields", "refused"), LOST.values(), ids=LOST)
    def test_a_ticket_lets_nobody_in_who_is_let_in_no_more(self, signed_in, group, bob, alice, fields, refused):
        tickets = [signed_in(user).post("/api/live/tickets").json()["ticket"] for user in (alice, bob)]
        User.objects.filter(pk=bob.pk).update(**fields)
        assert [APIClient().get(STREAM, {"ticket": each}).status_code for each in tickets] == [200, refused]

    def test_a_ticket_of_open_mode_is_nobodys_where_one_signs_in(self, api, settings, alice):
        ticket = api.post("/api/live/tickets").json()["ticket"]
        settings.OPEN_MODE, settings.SIGN_IN = False, True
        assert APIClient().get(STREAM, {"ticket": ticket, "userId": alice.pk}).status_code == 401


class TestFollower:
    """Of one stream, as the front goes on with it."""

    @pytest.fixture
    def follow(self):
        def follow(user=None, *, groups=None, place=None, sign_in=None):
            opening = Opening(user and user.pk, sign_in, groups, place, inf, "seat")
            follower, watch = Follower(opening), Watch()
            people = {user.pk} if user else set()

            def heard(work):
                changes = watch.look(people, groups or frozenset())
                return [(event.name, event.data) for event in events_of(b"".join(work(watch, changes, time())))]

            return follower, lambda: heard(follower.begin), lambda: heard(follower.go_on)

        return follow

    @pytest.fixture
    def bound(self, bob):
        bob.oidc_issuer, bob.oidc_subject = "https://id.example.com/", "of Bob"
        bob.save()
        return bob.oidc_issuer, bob.oidc_subject

    CHANGES = {
        "disabled": {"is_active": False},
        "bound otherwise": {"oidc_subject": "another"},
        "unbound": {"oidc_issuer": None, "oidc_subject": None},
    }

    @pytest.mark.parametrize("fields", CHANGES.values(), ids=CHANGES)
    def test_whose_sign_in_counts_no_more_is_told_nothing_more(self, follow, bound, group, bob, fields):
        follower, begin, go_on = follow(bob, sign_in=bound)
        assert [name for name, _ in begin()] == ["ready"]
        User.objects.filter(pk=bob.pk).update(**fields)
        Group.objects.filter(pk=group.pk).update(name="Secret")
        assert (go_on(), follower.is_over) == ([], True)

    def test_who_is_gone_is_told_nothing_more(self, follow, group, bob):
        follower, begin, go_on = follow(bob)
        begin()
        User.objects.filter(pk=bob.pk).delete()
        assert (go_on(), follower.is_over) == ([], True)

    def test_somebody_elses_end_ends_no_stream(self, follow, bound, group, alice, bob, carol):
        follower, begin, go_on = follow(bob, sign_in=bound)
        begin()
        User.objects.filter(pk=carol.pk).delete()
        assert [name for name, _ in go_on()] == ["groupInvitees"]
        assert not follower.is_over

    def test_who_asked_for_one_group_hears_of_no_other(self, follow, group, bob):
        second = Group.objects.create(name="Second")
        Membership.objects.create(group=second, user=bob)
        _, begin, go_on = follow(bob, groups=frozenset({second.pk}))
        begin()
        ours(Group).update(name="New")
        assert {data["groupId"] for name, data in go_on() if "groupId" in data} == {second.pk}

    @pytest.mark.parametrize("is_staff", [False, True])
    def test_who_leaves_the_group_that_they_asked_for_follows_it_on_as_staff_alone(
        self, follow, bound, group, bob, is_staff
    ):
        User.objects.filter(pk=bob.pk).update(is_staff=is_staff)
        _, begin, go_on = follow(bob, groups=frozenset({group.pk}), sign_in=bound)
        begin()
        Membership.objects.filter(group=group, user=bob).delete()
        Group.objects.filter(pk=group.pk).update(call_status=True)
        told = dict(go_on())
        assert ("callStatus" in told) == is_staff
        assert (told.get("group", {}).get("group", "unchanged") is None) == (not is_staff)

    def test_where_nobody_is_asked_who_they_are_staff_see_what_is_theirs(self, follow, group, bob):
        User.objects.filter(pk=bob.pk).update(is_staff=True)
        _, begin, go_on = follow(bob, groups=frozenset({group.pk}))
        begin()
        Membership.objects.filter(group=group, user=bob).delete()
        assert {"groupId": group.pk, "group": None} in [data for _, data in go_on()]

    @pytest.mark.parametrize(("ahead", "expected"), [(0, ["ready"]), (1, ["ready", "reset"])])
    def test_who_knows_of_what_has_not_happened_reads_everything_again(self, follow, group, bob, ahead, expected):
        """A database was set back to an older copy."""
        group.activities.create(user=bob, activity="sang")
        follower, begin, _ = follow(bob)
        begin()
        mark = follower.marks[group.pk]
        known = {group.pk: Mark(mark.number + ahead, mark.digest)}
        place = places.written(time(), bob.pk, follower.digest, known)
        _, begin, _ = follow(bob, place=place)
        assert [name for name, _ in begin()] == expected

    @pytest.mark.parametrize(("seconds", "expected"), [(-3590, ["ready"]), (-3610, ["ready", "reset"])])
    def test_a_place_of_the_last_hour_is_gone_on_from(self, follow, group, bob, seconds, expected):
        follower, begin, _ = follow(bob)
        begin()
        place = places.written(time() + seconds, bob.pk, follower.digest, follower.marks)
        _, begin, _ = follow(bob, place=place)
        assert [name for name, _ in begin()] == expected

    @pytest.mark.parametrize(("seconds", "expected"), [(290, ["ready"]), (310, ["ready", "reset"])])
    def test_another_machines_clock_may_be_some_minutes_ahead(self, follow, group, bob, seconds, expected):
        follower, begin, _ = follow(bob)
        begin()
        place = places.written(time() + seconds, bob.pk, follower.digest, follower.marks)
        _, begin, _ = follow(bob, place=place)
        assert [name for name, _ in begin()] == expected
