"""A deletion while something is hung on the person or the group at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections
from rest_framework.test import APIClient

from groups.models import Group, Ownership
from tests.conftest import person
from users.models import User

ROUNDS = 8


def together(*requests):
    """Sends the requests at the same moment; their statuses."""
    ready = Barrier(len(requests))

    def send(method, path, body=None, headers=None):
        try:
            ready.wait()
            return getattr(APIClient(), method)(path, body, format="json", headers=headers).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(requests)) as pool:
        return [each.result() for each in [pool.submit(send, *request) for request in requests]]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("post", "/api/voice/registerBinding", lambda user, _: {"identity": f"u_{user}", "Address": f"of {user}"}),
        ("post", "/api/groups/{group}/activities", lambda user, _: {"userId": user, "activity": "x"}),
        ("post", "/api/groups/{group}/groupMembers", lambda user, _: {"userId": user}),
        ("put", "/api/users/{user}/accountBalance", lambda *_: {"accountBalance": 5}),
        ("put", "/api/users/{user}", lambda *_: {"callStatus": True}),
    ],
)
def test_a_person_goes_and_nothing_is_a_fault_of_ours(on_postgresql, method, path, body):
    for number in range(ROUNDS):
        user, group = person(f"P{number}"), Group.objects.create(name="G")
        write = (method, path.format(user=user.pk, group=group.pk), body(user.pk, group.pk))
        deleted, written = together(("delete", f"/api/users/{user.pk}"), write)
        assert deleted == 200
        assert written in (200, 201, 404, 409)
        assert not User.objects.filter(pk=user.pk).exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        (
            "post",
            "/api/voice/registerBinding",
            lambda group: {"identity": "x", "Address": f"of {group}", "tags": group},
        ),
        ("put", "/api/groups/{group}", lambda _: {"name": "New"}),
        ("post", "/api/groups/{group}/activities", lambda _: {"userId": 1, "activity": "x"}),
    ],
)
def test_a_group_goes_and_nothing_is_a_fault_of_ours(on_postgresql, method, path, body):
    for number in range(ROUNDS):
        group = Group.objects.create(name=f"G{number}")
        Ownership.objects.create(group=group, user=person(f"P{number}"))
        write = (method, path.format(group=group.pk), body(group.pk))
        deleted, written = together(("delete", f"/api/groups/{group.pk}"), write)
        assert deleted == 200
        assert written in (200, 201, 404, 409)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["users", "groups"])
def test_of_six_deletions_one_deletes_and_the_others_find_nothing(on_postgresql, kind):
    for number in range(ROUNDS):
        user, group = person(f"P{number}"), Group.objects.create(name="G")
        Ownership.objects.create(group=group, user=user)
        path = f"/api/{kind}/{user.pk if kind == 'users' else group.pk}"
        assert sorted(together(*[("delete", path)] * 6)) == [200, *[404] * 5]
