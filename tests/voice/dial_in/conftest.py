"""Telephones, and whose they are."""

import pytest
from django.utils import timezone

from tests.voice.dial_in.phone import ATTESTED, Phone
from users.models import VerifiedNumber
from voice.dial_in.codes import code_in

BOBS = "+12025550123"


@pytest.fixture
def phone(twilio):
    """A telephone that has dialled in."""

    def phone(caller=BOBS, dialled="+12025550100", stir=ATTESTED):
        return Phone(twilio, caller, dialled, stir).dial()

    return phone


@pytest.fixture
def stranger(phone):
    """One whose number says nothing, and who is asked for a code."""
    return lambda caller="+12025550199": phone(caller, stir=None)


@pytest.fixture
def verify(db):
    def verify(user, number=BOBS):
        VerifiedNumber.objects.create(user=user, number=number, verified_at=timezone.now())

    return verify


@pytest.fixture
def code(group):
    return lambda user, group=group: code_in(group_id=group.pk, user_id=user.pk)


@pytest.fixture
def wrong(code, bob, alice):
    """A code that is nobody's."""
    known = {code(bob), code(alice)}
    return next(f"{number:08}" for number in range(31415926, 31416000) if f"{number:08}" not in known)
