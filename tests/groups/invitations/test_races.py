"""Many who come by a link at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections
from django.http import Http404
from django.utils import timezone
from rest_framework.exceptions import APIException

from groups.invitations.services import accept, delete_link
from groups.models import InvitationLink, Membership
from tests.neighbours import ours
from tests.voice.conferences.test_event_races import at_once
from users.models import User

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("on_postgresql")]


def tried(token, user_id, ready=None):
    try:
        if ready:
            ready.wait()
        return accept(token=token, user_id=user_id, now=timezone.now()).name
    except (APIException, Http404) as error:
        return type(error).__name__
    finally:
        if ready:
            connections.close_all()


@pytest.mark.parametrize(("max_uses", "let_in"), [(1, 1), (7, 7)])
def test_of_fifty_at_once_as_many_get_in_as_it_is_for(link_of, alice, group, max_uses, let_in):
    people = User.objects.bulk_create(User(email=f"p{n}@example.com", display_name=f"P{n}") for n in range(50))
    _, token = link_of(alice, max_uses=max_uses)
    before, ready = group.memberships.count(), Barrier(10)
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda user: tried(token, user.pk, ready), people))
    assert sorted(answers) == ["Family"] * let_in + ["Http404"] * (50 - let_in)
    assert group.memberships.count() - before == ours(InvitationLink).get().uses == let_in


def test_one_person_at_once_from_many_devices_uses_one_place(link_of, alice, dave, group):
    _, token = link_of(alice, max_uses=9)
    ready = Barrier(8)
    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(lambda _: tried(token, dave.pk, ready), range(8)))
    assert (answers, ours(InvitationLink).get().uses) == ({"Family"}, 1)


def test_a_link_that_is_deleted_at_that_moment_lets_nobody_in(link, dave, group):
    answers = []
    at_once(
        lambda: delete_link(group_id=group.pk, link_id=link[0].pk),
        lambda: answers.append(tried(link[1], dave.pk)),
    )
    assert (answers, Membership.objects.filter(user=dave).exists()) == (["Http404"], False)


def test_nor_does_one_whose_maker_is_put_out_at_that_moment(link, dave, group, alice):
    answers = []

    def put_out():
        list(type(group).objects.select_for_update().filter(pk=group.pk))
        group.ownerships.filter(user=alice).delete()
        group.memberships.filter(user=alice).delete()

    at_once(put_out, lambda: answers.append(tried(link[1], dave.pk)))
    assert answers == ["Http404"]


def test_nor_a_group_that_goes_at_that_moment(link, dave, group):
    answers = []
    at_once(group.delete, lambda: answers.append(tried(link[1], dave.pk)))
    assert answers == ["Http404"]
