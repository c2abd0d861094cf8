"""What one phone's captions are to another's, and one job to those that were stored before it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from core.jobs.models import Job
from groups.models import Caption, Group
from tests.neighbours import ours
from voice.captions.healing import go_on_speaking
from voice.captions.legs import SETTLES, adjust, see_whether_it_began, stop
from voice.models import Call, GroupCall, Transcription


@pytest.fixture
def legs(twilio_telephony, twilio_double, group, alice, bob):
    """Alice's and Bob's, that Twilio knows."""
    usual = {"group_id": group.pk, "is_on": True}
    sids = [twilio_double.call(status="in-progress") for _ in range(2)]
    return [
        Call.objects.create(sid=sid, user_id=user.pk, **usual) for sid, user in zip(sids, (alice, bob), strict=True)
    ]


@pytest.fixture
def rows(legs, group):
    """Each is to be written down, and nothing has been heard since that was asked for."""
    GroupCall.objects.create(group=group, captions=True, captions_changed_at=timezone.now())
    asked = {"language": "en-US", "asked_at": timezone.now() - 2 * SETTLES}
    return [Transcription.objects.create(call=leg, sid=f"GT{leg.pk}", **asked) for leg in legs]


def test_of_two_of_which_nothing_is_heard_the_one_is_told_of_that_is_looked_at(rows):
    see_whether_it_began.call(rows[0].pk)
    assert [Transcription.objects.get(pk=row.pk).fault for row in rows] == ["silent", ""]


def test_what_has_stopped_by_itself_meanwhile_stopped_then(rows):
    earlier = timezone.now() - timedelta(minutes=5)
    Transcription.objects.filter(pk=rows[0].pk).update(stopped_at=earlier)
    stop(rows[0].call, rows[0])
    assert Transcription.objects.get(pk=rows[0].pk).stopped_at == earlier


def test_what_twilio_has_refused_is_not_stopped(legs, twilio_double):
    Transcription.objects.create(call=legs[0], sid=None, fault="setup")
    before = len(twilio_double.requests)
    adjust.call(legs[0].pk)
    assert twilio_double.requests[before:] == []


@pytest.fixture
def waiting(group, alice):
    def waiting(*asked, where=group):
        said = {"group": where, "user": alice, "display_name": "Alice", "language": "en-US", "text": "Hello"}
        for asked_at in asked:
            Caption.objects.create(**said, typed=True, spoken="waiting", asked_at=asked_at)
        ours(Caption).update(stored_at=timezone.now() - timedelta(minutes=5))

    return waiting


def jobs(name):
    return Job.objects.filter(task__endswith=name).count()


def test_where_several_wait_the_next_is_spoken_by_one_job_of_each_group(waiting):
    waiting(None, None, None)
    waiting(None, where=Group.objects.create(name="Work"))
    go_on_speaking(timezone.now())
    assert (jobs("speak_next"), jobs("settle")) == (2, 0)


def test_while_one_is_spoken_it_is_not_begun_anew(waiting):
    waiting(timezone.now())
    go_on_speaking(timezone.now())
    assert (jobs("speak_next"), jobs("settle")) == (0, 0)
