"""Telephones on a call, and Twilio's side of their conference."""

from datetime import timedelta

import pytest
from django.utils import timezone

from core.jobs.models import Job
from groups.models import Group
from tests.neighbours import ours
from tests.voice.dial_in.conftest import BOBS
from tests.voice.dial_in.phone import ATTESTED, Phone
from tests.voice.keypad.room import Room
from users.models import VerifiedNumber
from voice.models import Call, ConferenceEvent

ALICES = "+12025550111"


@pytest.fixture
def room(tell):
    return Room(tell)


@pytest.fixture
def numbers(db, alice, bob):
    for user, number in ((alice, ALICES), (bob, BOBS)):
        VerifiedNumber.objects.create(user=user, number=number, verified_at=timezone.now())


@pytest.fixture
def phone(twilio):
    """A telephone that has dialled in."""
    return lambda caller=BOBS: Phone(twilio, caller, stir=ATTESTED).dial()


@pytest.fixture
def bobs(numbers, phone, room):
    """Bob's telephone, which is on the call."""
    return room.join(phone(BOBS))


@pytest.fixture
def alices(numbers, phone, room):
    return room.join(phone(ALICES))


@pytest.fixture
def version(group):
    """It moves whenever anybody could see that something in the group has changed."""
    return lambda: Group.objects.get(pk=group.pk).version


@pytest.fixture
def pass_by():
    """Lets so many seconds pass: all that has a time of its own was that much earlier."""

    def pass_by(seconds):
        earlier = timedelta(seconds=seconds)
        for event in ours(ConferenceEvent).all():
            event.happened_at -= earlier
            event.created_at -= earlier
            event.save()
        for call in ours(Call).all():
            for name in ("menu_at", "out_since", "start_time", "created_at"):
                if time := getattr(call, name):
                    setattr(call, name, time - earlier)
            call.save()
        for job in Job.objects.filter(task="voice.conferences.events.look_who_came_back"):
            job.due_at -= earlier
            job.save()

    return pass_by
