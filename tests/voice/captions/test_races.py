"""Events of captions that come at the same moment. PostgreSQL alone has such moments."""

import pytest

from core.jobs.models import Job
from groups.models import Activity, Caption
from tests.neighbours import ours
from tests.voice.conferences.test_event_races import at_once
from voice.captions.messages import speak_next
from voice.models import Call, GroupCall, Transcription

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


def test_what_holds_for_all_is_said_once_though_two_phones_tell_it_at_once(hear, alice):
    ours(GroupCall).update(captions_by=alice.pk)
    error = {"event": "transcription-error", "TranscriptionErrorCode": 32650}
    at_once(lambda: hear("", 1, **error), lambda: hear("", 1, call="CA2", **error))
    assert ours(Activity).filter(activity__contains="does not take this language").count() == 1


def test_two_unknown_callers_who_speak_at_once_are_two(hear):
    hear("Hello.", 1)  # so that the group's count is there
    ours(Call).update(user_id=None)
    at_once(lambda: hear("One.", 2), lambda: hear("Two.", 2, call="CA2"))
    assert sorted(ours(Caption).values_list("display_name", flat=True)) == ["Alice", "Caller 1", "Caller 2"]


def test_of_two_who_look_for_the_next_message_at_once_one_has_it_spoken(api, path, group):
    api.post(f"{path}/spokenMessages", {"text": "Hello"}, format="json")
    at_once(lambda: speak_next.call(group.pk), lambda: speak_next.call(group.pk))
    assert Job.objects.filter(task__endswith="settle").count() == 1
