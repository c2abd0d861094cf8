"""A family of its own for each run, small, and in the middle of everything: on a call that Alice pays, with money, a
card, a payment under way, a phone that is told, and somebody who is invited.
"""

from dataclasses import dataclass
from datetime import timedelta
from itertools import count

from django.utils import timezone

from billing.ledger import account_of, post_entry
from billing.models import Account, Card, SandboxObject, TopUp
from groups.invitations.services import make_link
from groups.models import (
    Activity,
    Caption,
    Device,
    Group,
    Invitation,
    Membership,
    Ownership,
    PartialCaption,
    Participant,
    Ring,
)
from users.models import PendingVerification, User, VerifiedNumber
from users.verification.interface import verification
from voice.dial_in.codes import code_in
from voice.models import Call, Conference, ConferenceEvent, GroupCall, Transcription

numbers = count(1)


@dataclass
class World:
    number: int
    alice: User
    bob: User
    carol: User
    group: Group
    work: Group
    kin: Group
    """Alice's and Dave's, who is not on the call, and has a telephone."""
    account: Account
    link: int = 0
    token: str = ""
    code: str = ""
    """Sent to Alice's telephone."""
    leg: int = 0
    """By which Bob's telephone rings."""
    message: int = 0
    """Typed by Bob, to be spoken."""
    pin: str = ""
    """Bob's, for the group."""

    def name(self, prefix: str) -> str:
        return f"{prefix}{self.number}"

    @property
    def people(self) -> list[User]:
        return [self.alice, self.bob, self.carol]


def make_world() -> World:
    number = next(numbers)
    alice, bob, carol = User.objects.bulk_create(
        User(email=f"{name}{number}@example.com", display_name=name, stripe_id=f"cus_{name}{number}")
        for name in ("alice", "bob", "carol")
    )
    family, work = Group.objects.bulk_create(Group(name=name, call_status=True) for name in ("Family", "Work"))
    world = World(number, alice, bob, carol, family, work, Group.objects.create(name="Kin"), account_of(alice))
    fill_groups(world)
    fill_telephones(world)
    fill_money(world)
    fill_calls(world)
    return world


def fill_groups(world: World) -> None:
    everywhere = [(group, user) for group in (world.group, world.work) for user in (world.bob, world.alice)]
    owners = [(world.group, world.alice), (world.work, world.alice), (world.work, world.bob)]
    Ownership.objects.bulk_create(Ownership(group=group, user=user) for group, user in owners)
    Membership.objects.bulk_create(Membership(group=group, user=user) for group, user in everywhere)
    Participant.objects.bulk_create(Participant(group=group, user=user) for group, user in everywhere)
    Activity.objects.bulk_create(Activity(group=group, user=user, activity="spoke") for group, user in everywhere * 2)
    Invitation.objects.create(group=world.group, user=world.carol)
    link, world.token = make_link(
        group_id=world.group.pk, maker=world.alice, who="", now=timezone.now(), max_uses=9, days=1
    )
    world.link, world.pin = link.pk, code_in(group_id=world.group.pk, user_id=world.bob.pk)
    for user in (world.alice, world.bob):
        phone = Device.objects.create(user=user, identity=f"u_{user.pk}", address=f"phone{user.pk}", sid="BS1")
        phone.tags.set([world.group, world.work])


def fill_telephones(world: World) -> None:
    """Alice and Bob share a landline, which Alice is to verify once more. Dave has his own."""
    dave = User.objects.create(email=f"dave{world.number}@example.com", display_name="dave")
    Ownership.objects.create(group=world.kin, user=world.alice)
    Membership.objects.create(group=world.kin, user=dave)
    VerifiedNumber.objects.create(user=dave, number="+12025550144", verified_at=timezone.now())
    world.code = verification().code_of("VE1")
    now, number = timezone.now(), "+12025550143"
    for user in (world.alice, world.bob):
        VerifiedNumber.objects.create(user=user, number=number, verified_at=now)
    expires_at = now + timedelta(minutes=10)
    PendingVerification.objects.create(user=world.alice, number=number, channel="sms", sid="VE1", expires_at=expires_at)


def fill_money(world: World) -> None:
    payments = [world.name(f"pi_{number}_") for number in range(3)]
    common = {"account": world.account, "customer": world.alice.stripe_id, "amount_cents": 2000, "card": "tok_visa"}
    for payment in payments[:2]:
        kind, reference = "top_up", f"stripe:{payment}"
        entry = post_entry(
            account=world.account, kind=kind, amount_micros=20_000_000, reference=reference, memo="Money added by card"
        )
        TopUp.objects.create(**common, payment=payment, status="succeeded", entry=entry)
    pending = TopUp.objects.create(**common)
    paid = {"status": "succeeded", "amount": 2000, "refunded": 0}
    SandboxObject.objects.bulk_create(
        SandboxObject(pk=payment, customer=world.alice.stripe_id, data={**paid, "top_up": str(top_up)})
        for payment, top_up in zip(payments, ["", "", pending.pk], strict=True)
    )
    visa = SandboxObject.objects.create(
        pk=world.name("pm_sandbox_"), customer=world.alice.stripe_id, data={"card": "visa"}
    )
    SandboxObject.objects.create(pk=world.alice.stripe_id, customer=world.alice.stripe_id, data={"default": visa.pk})
    for user in (world.alice, world.bob):
        shown = {"brand": "visa", "last4": "4242", "exp_month": 12, "exp_year": 2034}
        Card.objects.create(pk=f"pm_{user.pk}", user=user, is_default=True, **shown)


def fill_calls(world: World) -> None:
    now, ago = timezone.now(), timezone.now() - timedelta(minutes=5)
    for group, prefix in ((world.group, "CF"), (world.work, "CW")):
        conference = Conference.objects.create(
            pk=world.name(prefix), group_id=group.pk, created_at=ago, heard_at=ago, notified_at=ago, announcement="told"
        )
        common = {"group_id": group.pk, "payer": world.account, "conference": conference, "created_at": ago}
        common |= {"start_time": ago, "heard_at": ago, "is_on": True}
        legs = Call.objects.bulk_create(
            Call(sid=world.name(f"{prefix}{user.display_name}_"), user_id=user.pk, caller="client:x", **common)
            for user in (world.bob, world.alice)
        )
        ConferenceEvent.objects.bulk_create(
            ConferenceEvent(
                conference=conference, sequence_number=at, kind="participant-join", call_sid=leg.sid, payload={}
            )
            for at, leg in enumerate(legs, 1)
        )
    for group, is_on in ((world.group, True), (world.work, True)):
        GroupCall.objects.create(group=group, captions=is_on, captions_changed_at=ago, captions_by=world.alice.pk)
    Transcription.objects.create(call=Call.objects.get(sid=world.name("CFbob_")), sid=world.name("GT"), started_at=ago)
    said = {"group": world.group, "display_name": "bob", "user": world.bob}
    Caption.objects.create(**said, text="Hi", transcription=world.name("GT"), sequence_id=2, created_at=ago)
    PartialCaption.objects.create(pk=world.name("GT"), **said, text="H", sequence_id=2)
    world.message = Caption.objects.create(**said, text="Me too", typed=True, spoken="waiting").pk
    ended = {"end_time": ago, "start_time": ago - timedelta(minutes=2), "duration": 120, "caller": "client:x"}
    common = {"group_id": world.group.pk, "user_id": world.alice.pk, "payer": world.account, "status": "completed"}
    Call.objects.create(sid=world.name("CAended"), price_due_at=now, end_source="event", **ended, **common)
    old = {**ended, "end_time": ago - timedelta(days=2), "start_time": ago - timedelta(days=2, minutes=2)}
    Call.objects.create(sid=world.name("CAold"), end_source="event", price_attempts=1, **old, **common)
    ring = Ring.objects.create(group=world.group, user=world.bob, by=world.alice)
    rung = {"caller": "+15005550006", "called": "+12025550143", "ring_id": ring.pk, "direction": "outbound-api"}
    leg = Call.objects.create(
        sid=world.name("CArung"), user_id=world.bob.pk, group_id=world.group.pk, payer=world.account, **rung
    )
    world.leg = leg.pk
    Call.objects.create(sid=world.name("CAearly"))  # an event came before its makeCall
