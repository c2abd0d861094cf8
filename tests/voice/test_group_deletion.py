import pytest


@pytest.fixture
def running(twilio_double, twilio_telephony, group):
    """The group is on a call at Twilio."""
    group.call_status = True
    group.save()
    twilio_double.start_conference(str(group.pk))
    return twilio_double


def test_deleting_a_group_ends_its_call_at_twilio(api, group, running, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        api.delete(f"/api/groups/{group.pk}")
    assert running.running_conferences() == []
