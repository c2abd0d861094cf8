"""Callers from the telephone network: Twilio names them by number, and the group by the number that was dialled."""

import pytest

from tests.voice.api.test_make_call import conference, spoken
from voice.models import Call


@pytest.fixture
def dial(twilio, group, bob):
    """Somebody dials the group's number; Bob's number is known."""
    group.phone_number = "+15550001"
    group.save()
    bob.phone_number = 15551234567
    bob.save()
    return lambda caller, number="+15550001": twilio("/api/voice/makeCall", From=caller, To=number, CallSid="CA1")


def test_a_members_number_goes_straight_in(dial, group, bob):
    assert conference(dial("+15551234567")).text == str(group.pk)
    assert Call.objects.get().user_id == bob.pk


def test_a_number_written_without_its_plus_is_the_same(dial, group):
    group.phone_number = "15550001"
    group.save()
    assert conference(dial("+15551234567")).text == str(group.pk)


def test_another_number_is_told_that_it_is_not_on_the_list(dial):
    assert "not on the list" in spoken(dial("+15559999999"))
    assert not Call.objects.exists()


def test_a_number_of_somebody_outside_the_group_is_not_on_the_list(dial, dave):
    dave.phone_number = 15557777777
    dave.save()
    assert "not on the list" in spoken(dial("+15557777777"))


def test_a_number_that_no_group_has_says_so(dial):
    assert "No group has this number" in spoken(dial("+15551234567", number="+15550009"))


@pytest.mark.parametrize("caller", ["anonymous", "+266696687", "", "client:", "sip:x@example.com"])
def test_a_caller_without_a_number_is_refused(dial, caller):
    assert spoken(dial(caller))


def test_where_sign_in_is_on_only_people_of_the_group_are_let_in(twilio, group, bob, dave, settings):
    settings.OPEN_MODE = False

    def call(caller):
        return twilio("/api/voice/makeCall", to=group.pk, From=caller)

    assert conference(call(f"client:u_{bob.pk}")).text == str(group.pk)
    for caller in (f"client:u_{dave.pk}", f"client:{group.pk}", "", "client:u_999"):
        assert "not a member" in spoken(call(caller))
