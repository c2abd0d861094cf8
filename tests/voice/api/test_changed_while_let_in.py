"""Who is let in while their group changes. PostgreSQL alone has such moments."""

import pytest

from billing.ledger import account_of, lock_account, set_balance
from groups.models import Membership, Ownership
from groups.services import remove_person
from tests.neighbours import ours
from tests.voice.conferences.test_event_races import at_once
from tests.voice.dial_in.phone import Phone
from voice.dial_in.codes import code_in
from voice.dial_in_models import DialInCode
from voice.models import Call

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("on_postgresql", "sign_in")]

CHANGES = {
    "their place is taken": (
        lambda group, bob: remove_person(group_id=group.pk, user_id=bob.pk, people=Membership),
        "You are not a member of this group",
    ),
    "another pays": (
        lambda group, bob: Ownership.objects.filter(group=group).update(user=bob),
        "The group has changed at this moment",
    ),
}


@pytest.fixture
def ask(twilio, group, alice, bob, settings):
    """Bob's phone asks to be let in, at Alice's cost; what Twilio is to say."""
    settings.MIN_CALL_BALANCE = 500_000
    set_balance(user=alice, balance_micros=10_000_000, memo="")

    def ask():
        answer = twilio("/api/voice/makeCall", to=group.pk, From=f"client:u_{bob.pk}", CallSid="CA1")
        ask.answers.append(answer.content.decode())

    ask.answers = []
    return ask


@pytest.mark.parametrize(("change", "why"), CHANGES.values(), ids=CHANGES)
def test_while_the_payers_money_is_waited_for_is_not_let_in(ask, group, alice, bob, change, why):
    at_once(lambda: lock_account(account_of(alice)), ask, then=lambda: change(group, bob))
    assert why in ask.answers[0]
    assert not ours(Call).exists()


@pytest.mark.parametrize(("change", "why"), CHANGES.values(), ids=CHANGES)
def test_nor_while_their_leg_is_waited_for_of_which_twilio_has_told_before(ask, group, bob, change, why):
    Call.objects.create(sid="CA1")
    at_once(lambda: ours(Call).select_for_update().get(), ask, then=lambda: change(group, bob))
    assert why in ask.answers[0]
    assert ours(Call).get().is_nobodys


def test_nor_where_the_code_they_have_typed_has_died_meanwhile(ask, twilio, group, alice, bob):
    code = code_in(group_id=group.pk, user_id=bob.pk)
    phone = Phone(twilio, "+12025550199").dial()
    at_once(
        lambda: lock_account(account_of(alice)),
        lambda: phone.press(code),
        then=ours(DialInCode).all().delete,
    )
    assert phone.heard == ["The group has changed at this moment. Please call again."] * 2
