"""A family whose phones ring."""

import pytest
from django.utils import timezone

from core.jobs.worker import do_all
from groups.models import Activity, Device, Ring
from tests.voice.ringing.ringer import Ringer
from users.models import VerifiedNumber

BOBS = "+12025550123"


@pytest.fixture
def verify(db):
    def verify(user, number=BOBS):
        VerifiedNumber.objects.create(user=user, number=number, verified_at=timezone.now())

    return verify


@pytest.fixture
def app(db):
    def app(user):
        Device.objects.create(user=user, identity=f"u_{user.pk}", address=f"d{user.pk}", binding_type="fcm", sid="BS1")

    return app


@pytest.fixture
def rings(api, group, twilio_telephony):
    """Somebody has people rung; the answer. The jobs are done unless told otherwise."""

    def rings(*people, jobs=True, expected=202, **headers):
        body = {"userIds": [each.pk for each in people]} if people else {}
        answer = api.post(f"/api/groups/{group.pk}/ring", body, format="json", **headers)
        assert answer.status_code == expected, answer.content
        if jobs:
            do_all()
        return answer.json()

    return rings


@pytest.fixture
def ringing(twilio, twilio_double):
    """The phones that ring at Twilio, by what was dialled."""
    return lambda: {each["To"]: Ringer(twilio, twilio_double, each) for each in twilio_double.rings}


@pytest.fixture
def state(group):
    """What the ring of somebody has come to."""
    return lambda user: Ring.objects.get(group=group, user=user).state


@pytest.fixture
def lines(group):
    """The activities, the oldest first."""
    return lambda: list(Activity.objects.filter(group=group).order_by("number").values_list("activity", flat=True))
