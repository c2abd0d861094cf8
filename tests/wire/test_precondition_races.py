"""Two who write what both have read: the second begins while the first is not yet committed."""

import pytest
from rest_framework.test import APIClient

from billing.ledger import account_of, post_entry
from billing.models import LedgerEntry
from groups.models import Group, Participant
from groups.services import add_person
from tests.neighbours import ours
from tests.users.api.test_delete_races import ROUNDS, together
from tests.voice.conferences.test_event_races import at_once
from users.models import User

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("on_postgresql")]


def rename(group, user):
    Group.objects.filter(pk=group.pk).update(name="Meanwhile")


def rename_person(group, user):
    User.objects.filter(pk=user.pk).update(display_name="Meanwhile")


def pay(group, user):
    kind = LedgerEntry.Kind.TOP_UP
    post_entry(account=account_of(user), kind=kind, amount_micros=50_000_000, reference="stripe:pi_1", memo="")


MEANWHILE = {
    "a group that is renamed": (rename, "put", "/api/groups/{group}", {"name": "New"}),
    "a group that is renamed and ends": (rename, "delete", "/api/groups/{group}", None),
    "a person who is renamed": (rename_person, "put", "/api/users/{user}", {"displayName": "New"}),
    "a person who is renamed and goes": (rename_person, "delete", "/api/users/{user}", None),
    "a balance that is paid into": (pay, "put", "/api/users/{user}/accountBalance", {"accountBalance": 5}),
}


@pytest.fixture
def late(group, alice):
    """A write that names what was there before; what it is answered is kept."""
    client, answers = APIClient(), []

    def late(method, path, body):
        path = path.format(group=group.pk, user=alice.pk)
        etag = client.get(path)["ETag"]
        send = getattr(client, method)
        return answers, lambda: answers.append(send(path, body, format="json", headers={"If-Match": etag}))

    return late


@pytest.mark.parametrize(("change", "method", "path", "body"), MEANWHILE.values(), ids=MEANWHILE)
def test_a_change_that_was_not_yet_committed_counts(late, group, alice, change, method, path, body):
    pay(group, alice) if change is not pay else account_of(alice)
    answers, send = late(method, path, body)
    at_once(lambda: change(group, alice), send)
    assert [answer.status_code for answer in answers] == [412]
    assert answers[0]["ETag"] == APIClient().get(answers[0].wsgi_request.path)["ETag"]


def test_a_change_that_is_undone_does_not_count(late, group):
    answers, send = late("put", "/api/groups/{group}", {"name": "New"})

    def change_and_undo():
        rename(group, None)
        Group.objects.filter(pk=group.pk).update(name=group.name)

    at_once(change_and_undo, send)
    assert [answer.status_code for answer in answers] == [200]


def test_a_call_onto_which_somebody_comes_meanwhile_is_not_cleared_under_the_old_tag(late, group, alice, bob):
    Participant.objects.create(group=group, user=alice)
    answers, send = late("delete", "/api/groups/{group}/callParticipants", None)
    at_once(lambda: add_person(group_id=group.pk, user_id=bob.pk, people=Participant), send)
    assert answers[0].status_code == 412
    assert {each.user for each in ours(Participant).all()} == {alice, bob}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/groups/{group}", lambda number: {"name": f"Name {number}"}),
        ("/api/users/{user}", lambda number: {"displayName": f"Name {number}"}),
        ("/api/users/{user}/accountBalance", lambda number: {"accountBalance": number}),
        ("/api/users/{user}/last4", lambda number: {"last4": f"{number:04}"}),
    ],
)
def test_of_four_with_one_tag_one_succeeds(group, alice, path, body):
    path = path.format(group=group.pk, user=alice.pk)
    for number in range(ROUNDS):
        headers = {"If-Match": APIClient().get(path)["ETag"]}
        writes = [("put", path, body(10 * number + each + 1), headers) for each in range(4)]
        assert sorted(together(*writes)) == [200, 412, 412, 412]
