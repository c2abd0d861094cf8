"""Rings that meet at the same moment. PostgreSQL alone has such moments."""

from itertools import chain

import pytest
from rest_framework.test import APIClient

from core.jobs.worker import do_all
from groups.models import Group, Ownership
from tests.neighbours import ours
from tests.voice.conferences.test_event_races import at_once
from tests.voice.ringing.conftest import BOBS
from voice.models import Call
from voice.ringing.legs import dial, learn_sid, note_answer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("on_postgresql")]


@pytest.fixture
def ask(group, bob, twilio_telephony):
    """The statuses of all that was asked."""

    def ask():
        body = {"userIds": [bob.pk]}
        answer = APIClient().post(f"/api/groups/{group.pk}/ring", body, format="json")
        ask.answers.append(answer.json())

    ask.answers = []
    return ask


def test_of_two_who_ring_the_same_person_at_once_one_does(ask, verify, bob, twilio_double):
    verify(bob)
    at_once(ask, ask)
    do_all()
    assert len(twilio_double.rings) == 1
    assert list(chain(*(each["skipped"] for each in ask.answers))) == [{"userId": bob.pk, "why": "alreadyRinging"}]


def test_whoever_has_just_stopped_paying_pays_for_no_ring(ask, verify, bob, dave, group):
    verify(bob)

    def hand_over():
        Group.objects.select_for_update(no_key=True).get(pk=group.pk)
        Ownership.objects.filter(group=group).update(user=dave)

    at_once(hand_over, ask)
    assert [each["code"] for each in ask.answers] == ["changed"]
    assert not ours(Call).exists()


def test_of_two_workers_who_ring_a_leg_at_once_one_does(rings, verify, bob, twilio_double):
    verify(bob)
    rings(bob, jobs=False)
    leg = ours(Call).get()
    at_once(lambda: dial.call(leg.pk), lambda: dial.call(leg.pk))
    assert len(twilio_double.rings) == 1


def test_of_two_names_that_twilio_tells_at_once_the_first_stays(rings, verify, bob):
    verify(bob)
    rings(bob, jobs=False)
    leg = ours(Call).get()
    at_once(lambda: learn_sid(leg.pk, "CA1"), lambda: learn_sid(leg.pk, "CA2"))
    assert ours(Call).get().sid == "CA1"


def test_of_two_phones_that_are_answered_at_once_one_lets_in(rings, verify, app, bob):
    verify(bob)
    app(bob)
    rings(bob)
    first, second = ours(Call).order_by("pk")
    said = []
    at_once(
        lambda: said.append(note_answer(first, Call.RingAnswer.PRESSED)),
        lambda: said.append(note_answer(second, Call.RingAnswer.PRESSED)),
    )
    assert said == [True, False]


def test_a_leg_whose_end_is_told_while_a_key_is_pressed_comes_to_one_thing(rings, ringing, verify, bob, state, lines):
    verify(bob)
    rings(bob)
    phone = ringing()[BOBS].answer()
    at_once(lambda: phone.press("2"), lambda: ringing()[BOBS].ends("completed", 5))
    assert (state(bob), lines()) == ("declined", ["is being called to join", "has declined the call"])
