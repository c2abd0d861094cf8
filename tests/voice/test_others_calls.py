"""Whatever becomes of one group's call, another group's goes on, also where one person is in both."""

from datetime import timedelta

import pytest
from django.utils import timezone

from billing.ledger import set_balance
from groups.models import Group, Invitation, Membership, Ownership, Participant
from tests.conftest import person
from tests.neighbours import ours
from users.models import User
from voice.conferences.reconciliation import reconcile_calls
from voice.credit.cut_off import cut_off
from voice.credit.prices import sync_prices
from voice.models import Call, Conference, ConferenceEvent, HangUp

CALLS = "/api/voice/callEvents"
NOW = {"heard_at", "price_due_at"}


@pytest.fixture
def zoe():
    return person("Zoe")


@pytest.fixture
def elsewhere(twilio_telephony, twilio_double, twilio, tell, settings, zoe, bob):
    """Zoe's own group, whose call she pays, and on it with her Bob, who is a member of both groups. A leg has ended."""
    settings.MIN_CALL_BALANCE = 500_000
    group = Group.objects.create(name="Neighbours")
    Ownership.objects.create(group=group, user=zoe)
    Membership.objects.create(group=group, user=bob)
    set_balance(user=zoe, balance_micros=10_000_000, memo="")
    room = twilio_double.start_conference(str(group.pk))["sid"]
    for number, user in enumerate((zoe, bob, zoe), 1):
        sid = twilio_double.call(status="in-progress")
        twilio("/api/voice/makeCall", to=group.pk, From=f"client:u_{user.pk}", CallSid=sid)
        tell(number, "participant-join", sid, conference=room, FriendlyName=group.pk)
    tell(4, "participant-leave", sid, conference=room, FriendlyName=group.pk)
    twilio(CALLS, CallSid=sid, CallStatus="completed", CallDuration="61")
    return group


@pytest.fixture
def here(elsewhere, twilio_double, leg, tell, settings, alice, carol, group, run_jobs):
    """Alice pays her group's call, and is on it with Carol, on two of Twilio's calls."""
    Invitation.objects.filter(user=carol).delete()
    Membership.objects.create(group=group, user=carol)
    set_balance(user=alice, balance_micros=10_000_000, memo="")
    room = twilio_double.start_conference(str(group.pk))["sid"]
    for number, user in enumerate((alice, carol), 1):
        tell(number, "participant-join", leg(user, twilio_double.call(status="in-progress")), conference=room)
    run_jobs()  # both groups are told
    return room


def rows_of(group, zoe):
    legs = Call.objects.filter(group_id=group.pk)
    return {
        "legs": list(legs.order_by("pk").values()),
        "conferences": list(Conference.objects.filter(group_id=group.pk).values()),
        "events": list(ConferenceEvent.objects.filter(conference__group_id=group.pk).order_by("pk").values()),
        "list": set(Participant.objects.filter(group=group).values_list("user_id", flat=True)),
        "hang ups": list(HangUp.objects.filter(call__in=legs).values()),
        "group": list(Group.objects.filter(pk=group.pk).values()),
        "Zoe": list(User.objects.filter(pk=zoe.pk).values()),
    }


def end_of(leg, seconds=61):
    return {"CallSid": leg.sid, "CallStatus": "completed", "CallDuration": seconds}


FLOWS = {
    "a leave": lambda it: it.tell(3, "participant-leave", it.leg("Carol").sid, conference=it.room),
    "an end": lambda it: it.tell(3, "conference-end", conference=it.room),
    "the end of a leg": lambda it: it.twilio(CALLS, **end_of(it.leg("Carol"))),
    "a price": lambda it: (it.twilio(CALLS, **end_of(it.leg("Carol"))), it.ask_for_its_price()),
    "who is taken off": lambda it: it.api.delete(f"{it.path}/callParticipants/{it.user('Carol').pk}"),
    "a call that is ended": lambda it: it.api.delete(f"{it.path}/callParticipants"),
    "who leaves": lambda it: it.api.delete(f"{it.path}/groupMembers/{it.user('Carol').pk}"),
    "a group that is deleted": lambda it: it.api.delete(it.path),
    "a person who is deleted": lambda it: it.api.delete(f"/api/users/{it.user('Carol').pk}"),
    "a payer who is deleted": lambda it: it.api.delete(f"/api/users/{it.user('Alice').pk}"),
    "who is disabled": lambda it: it.disable("Carol"),
    "a balance that is used up": lambda it: (
        set_balance(user=it.user("Alice"), balance_micros=0, memo=""),
        cut_off(now=timezone.now()),
    ),
    "who is seen no more": lambda it: it.ask_about_them(),
}


@pytest.mark.parametrize("flow", FLOWS.values(), ids=FLOWS)
def test_it_is_its_own(here, elsewhere, zoe, tell, twilio, api, group, committed, flow):
    class It:
        room, path = here, f"/api/groups/{group.pk}"

        def user(self, name):
            return User.objects.get(display_name=name)

        def leg(self, name):
            return Call.objects.get(user_id=self.user(name).pk, group_id=group.pk)

        def disable(self, name):
            user = self.user(name)
            user.is_active = False
            user.save()

        def ask_for_its_price(self):
            Call.objects.filter(group_id=elsewhere.pk).update(price_due_at=None)
            sync_prices(now=timezone.now() + timedelta(minutes=3))

        def ask_about_them(self):
            Call.objects.filter(group_id=elsewhere.pk).update(heard_at=timezone.now() + timedelta(days=1))
            Conference.objects.filter(group_id=elsewhere.pk).update(heard_at=timezone.now() + timedelta(days=1))
            reconcile_calls(now=timezone.now() + timedelta(minutes=3))

    it = It()
    it.tell, it.twilio, it.api = tell, twilio, api

    def known(group):
        rows = rows_of(group, zoe)
        rows["legs"] = [{name: value for name, value in leg.items() if name not in NOW} for leg in rows["legs"]]
        rows["conferences"] = [
            {name: value for name, value in each.items() if name not in NOW} for each in rows["conferences"]
        ]
        return rows

    theirs, ours = known(elsewhere), known(group)
    assert theirs["list"]
    with committed():
        flow(it)
    assert known(elsewhere) == theirs
    assert known(group) != ours


def test_who_leaves_one_group_is_hung_up_on_there_alone(
    elsewhere, here, group, leg, tell, twilio, twilio_double, api, bob
):
    twilio(CALLS, CallSid=leg(bob, twilio_double.call()), CallStatus="completed", CallDuration="61")
    sid = leg(bob, twilio_double.call(status="in-progress"))
    tell(3, "participant-join", sid, conference=here)
    api.delete(f"/api/groups/{group.pk}/groupMembers/{bob.pk}")
    assert [each.call.sid for each in ours(HangUp).all()] == [sid]
    tell(4, "participant-leave", sid, conference=here)
    assert User.objects.get(pk=bob.pk).call_status
    assert Participant.objects.filter(group=elsewhere, user=bob).exists()
    assert not Participant.objects.filter(group=group, user=bob).exists()
