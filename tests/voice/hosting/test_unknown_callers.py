"""Phones of nobody whom we know are counted, and an owner hangs up on them."""

import pytest

from tests.access.conftest import member, owner, signed_in  # noqa: F401  # fixtures
from tests.neighbours import ours
from voice.models import Call, HangUp


@pytest.fixture
def unknown(line):
    """A phone of nobody whom we know joins."""

    def unknown(name):
        sid = line.twilio.call(status="in-progress")
        line.sids[name], line.joined = sid, line.joined + 1
        line.tell(line.joined, "participant-join", sid)
        return sid

    return unknown


@pytest.fixture
def remove(api, group, committed):
    def remove():
        with committed():
            answer = api.delete(f"/api/groups/{group.pk}/call/unknownCallers")
        assert answer.status_code == 200
        return answer.json()["count"]

    return remove


def test_they_are_hung_up_on_and_the_others_talk_on(line, unknown, remove, committed, alice):
    with committed():
        line.join(alice)
        unknown("a phone"), unknown("another")
    assert remove() == "2 unknown caller(s) removed"
    assert line.ended() == ["a phone", "another"]
    assert set(ours(HangUp).values_list("why", flat=True)) == {"taken_off"}


def test_so_is_the_phone_of_somebody_who_is_no_more(line, remove, committed, alice, bob):
    """The call's state counts it with them."""
    with committed():
        line.join(alice)
        line.join(bob)
    Call.objects.filter(sid=line.sids["Bob"]).update(user_id=999_999)
    assert remove() == "1 unknown caller(s) removed"
    assert line.ended() == ["Bob"]


def test_where_there_is_none_nobody_is(line, remove, committed, alice):
    with committed():
        line.join(alice)
    assert (remove(), line.ended()) == ("0 unknown caller(s) removed", [])


def test_who_is_let_in_and_has_not_joined_is_too(twilio, remove, group):
    twilio("/api/voice/makeCall", to=group.pk, From="client:guest_1", CallSid="CA1")
    assert remove() == "1 unknown caller(s) removed"


def test_owners_alone_do(owner, member, group):  # noqa: F811
    path = f"/api/groups/{group.pk}/call/unknownCallers"
    assert [client.delete(path).status_code for client in (member, owner)] == [403, 200]
