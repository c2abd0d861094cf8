"""A locked call lets nobody in, and who is on stays; the lock ends with the call."""

import pytest
from django.utils import timezone

from groups.models import Group
from tests.access.conftest import invitee, member, owner, signed_in, stranger  # noqa: F401  # fixtures
from tests.neighbours import ours
from tests.voice.api.test_make_call import conference, spoken
from voice.models import Call, GroupCall
from voice.sentences import LOCKED


@pytest.fixture
def lock(api, group):
    def lock(locked=True):
        answer = api.put(f"/api/groups/{group.pk}/call", {"locked": locked})
        assert answer.status_code == 200
        return answer.json()["locked"]

    return lock


@pytest.fixture
def locked(api, group):
    return lambda: api.get(f"/api/groups/{group.pk}/call").json()["locked"]


@pytest.fixture
def call(twilio, group):
    return lambda user, sid: twilio("/api/voice/makeCall", to=group.pk, From=f"client:u_{user.pk}", CallSid=sid)


def test_nobody_is_let_in_while_it_is_locked(lock, call, alice, bob):
    assert lock()
    assert [spoken(call(user, sid)) for user, sid in ((bob, "CA1"), (alice, "CA2"))] == [LOCKED, LOCKED]
    assert not ours(Call).exists()


def test_once_it_is_unlocked_they_are(lock, call, group, bob):
    lock(), lock(False)
    assert conference(call(bob, "CA1")).text == str(group.pk)


def test_who_is_on_stays_and_whose_line_broke_is_not_let_in_again(lock, call, tell, shown, alice, bob):
    call(alice, "CA1"), call(bob, "CA2")
    tell(1, "participant-join", "CA1")
    tell(2, "participant-join", "CA2")
    lock()
    tell(3, "participant-leave", "CA2")
    assert spoken(call(bob, "CA3")) == LOCKED
    assert shown() == (["Alice"], True)


def test_what_twilio_asks_again_is_answered_as_before(lock, call, bob):
    before = call(bob, "CA1").content
    lock()
    assert call(bob, "CA1").content == before


def test_but_not_of_a_call_that_is_taken_to_have_ended(lock, call, bob):
    call(bob, "CA1")
    ours(Call).update(end_time=timezone.now(), end_source="assumed")
    lock()
    assert spoken(call(bob, "CA1")) == LOCKED


def test_nor_of_one_that_was_never_let_in(lock, call, tell, alice, bob):
    """Twilio tells of it all the same, before it asks."""
    call(alice, "CA1")
    tell(1, "participant-join", "CA1")
    tell(2, "participant-join", "CA2")
    lock()
    assert spoken(call(bob, "CA2")) == LOCKED


def test_other_groups_are_not_locked(lock, twilio, bob, db):
    lock()
    other = Group.objects.create(name="Other")
    assert conference(twilio("/api/voice/makeCall", to=other.pk, CallSid="CA9")).text == str(other.pk)


def test_it_ends_when_the_last_one_has_left(lock, locked, call, tell, alice, bob):
    call(alice, "CA1"), call(bob, "CA2")
    tell(1, "participant-join", "CA1")
    tell(2, "participant-join", "CA2")
    lock()
    tell(3, "participant-leave", "CA1")
    assert locked()
    tell(4, "participant-leave", "CA2")
    assert not locked()


def test_it_ends_with_the_conference_whose_leaves_were_lost(lock, locked, call, tell, alice):
    call(alice, "CA1")
    tell(1, "participant-join", "CA1")
    lock()
    tell(5, "conference-end")
    assert not locked()


def test_where_nobody_is_on_it_stays_whatever_is_told_late(lock, locked, call, tell, alice):
    call(alice, "CA1")
    tell(1, "participant-join", "CA1")
    tell(5, "conference-end")
    lock()
    tell(3, "participant-mute", "CA1")
    assert locked()


def test_nothing_sent_changes_nothing(lock, locked, api, group):
    lock()
    assert api.put(f"/api/groups/{group.pk}/call", {}).status_code == 200
    assert locked()


@pytest.mark.parametrize("body", [{"locked": None}, {"locked": "perhaps"}, {"captions": True}, {"startedAt": None}])
def test_what_cannot_be_is_refused_by_name(api, group, body):
    answer = api.put(f"/api/groups/{group.pk}/call", body)
    assert (answer.status_code, [each["field"] for each in answer.json()["errors"]]) == (400, [*body])
    assert not ours(GroupCall).exists()


def test_owners_alone_lock_it(owner, member, invitee, stranger, group):  # noqa: F811
    path = f"/api/groups/{group.pk}/call"
    answers = [client.put(path, {"locked": True}).status_code for client in (stranger, invitee, member, owner)]
    assert answers == [404, 403, 403, 200]


def test_it_goes_with_its_group(lock, group):
    lock()
    group.delete()
    assert not ours(GroupCall).exists()
