"""Events of captions that come at the same moment. PostgreSQL alone has such moments."""

import pytest

from groups.models import Caption
from tests.neighbours import ours
from tests.voice.conferences.test_event_races import at_once
from voice.models import Transcription

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("on_postgresql", "talk")]


def test_the_same_final_told_twice_at_once_is_one_caption(hear):
    at_once(lambda: hear("Hello.", 2), lambda: hear("Hello.", 2))
    assert ours(Caption).count() == 1


def test_two_phones_that_are_heard_of_at_once_have_a_number_each(hear):
    at_once(lambda: hear("One.", 1), lambda: hear("Two.", 1, call="CA2"))
    assert sorted(ours(Caption).values_list("number", flat=True)) == [1, 2]


def test_a_leg_of_which_two_tell_at_once_is_written_down_once(hear):
    Transcription.objects.all().delete()
    at_once(lambda: hear("Hello.", 1, sid="GTa"), lambda: hear("Hello.", 1, sid="GTb"))
    assert ours(Caption).count() == 1
