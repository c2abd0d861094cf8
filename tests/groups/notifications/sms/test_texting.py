"""People get text messages at their own number, until they answer STOP."""

import pytest
from django.utils import timezone

from groups.notifications.models import SandboxMessage
from groups.notifications.sms import texting
from groups.notifications.sms.interface import TextUnavailable
from groups.notifications.sms.texting import NO_NUMBER, REFUSED, STOPPED, text_to
from tests.doubles.server import Fault
from tests.doubles.twilio import error
from tests.neighbours import ours
from users.models import User, VerifiedNumber
from users.notification_choices import choices_of, choose

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice(alice):
    """She has verified a telephone, and has turned text messages on."""
    VerifiedNumber.objects.create(user=alice, number="+12025550123", verified_at=timezone.now())
    choose(user_id=alice.pk, sms=True)
    return alice


def test_they_come_to_the_persons_own_number(alice, sandbox_sms):
    assert text_to(alice, "You missed a call.") == ""
    assert [str(each) for each in SandboxMessage.objects.filter(to="+12025550123")]


def test_a_number_that_nobody_has_verified_gets_none(bob, sandbox_sms):
    bob.phone_number = 12025550123
    bob.save()
    assert text_to(bob, "Hello.") == NO_NUMBER
    assert not ours(SandboxMessage).exists()


def test_stop_turns_them_off_for_that_person_alone(alice, bob, twilio_sms, twilio_double):
    choose(user_id=bob.pk, sms=True)
    twilio_double.stopped.add("+12025550123")
    assert text_to(alice, "Hello.") == STOPPED
    assert [choices_of(user.pk).sms for user in (alice, bob)] == [False, True]
    assert choices_of(alice.pk).push


def test_a_landline_changes_no_choice(alice, twilio_sms, twilio_double):
    twilio_double.fail_next(error(400, 21614, "Not mobile"))
    assert text_to(alice, "Hello.") == REFUSED
    assert choices_of(alice.pk).sms


def test_what_may_work_later_is_raised(alice, twilio_sms, twilio_double):
    twilio_double.fail_next(Fault.DROP, Fault.DROP)
    with pytest.raises(TextUnavailable):
        text_to(alice, "Hello.")


def test_who_is_deleted_meanwhile_chooses_nothing(alice, twilio_sms, twilio_double, monkeypatch):
    twilio_double.stopped.add(number := texting.number_of(alice))
    User.objects.filter(pk=alice.pk).delete()
    monkeypatch.setattr(texting, "number_of", lambda _: number)  # as it was a moment ago
    assert text_to(alice, "Hello.") == STOPPED
