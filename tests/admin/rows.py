"""Rows of every kind, many at once: each belongs to another person and another group."""

from datetime import UTC, datetime
from typing import Any

from billing.models import (
    Account,
    Card,
    Dispute,
    FormerCustomer,
    LedgerEntry,
    PaymentNotice,
    RefundRequest,
    StripeEvent,
    TopUp,
)
from core.jobs.models import Job
from groups.models import (
    Activity,
    Device,
    Group,
    Invitation,
    Membership,
    Ownership,
    Participant,
    Push,
    SandboxNotification,
)
from groups.notifications.models import Notice, SandboxEmail, SandboxMessage
from users.models import Erasure, User, VendorDeletion
from voice.models import Call, Conference, ConferenceEvent

LISTS: list[Any] = [Ownership, Membership, Invitation, Participant]
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def fill(first: int, last: int) -> None:
    numbers = range(first, last)
    people = User.objects.bulk_create(
        User(email=f"person{n}@example.com", display_name=f"Person {n}", account_balance_micros=n * 8500)
        for n in numbers
    )
    groups = Group.objects.bulk_create(Group(name=f"Group {n}", phone_number=f"555{n:04}") for n in numbers)
    pairs = list(zip(numbers, people, groups, strict=True))
    for people_of in LISTS:
        people_of.objects.bulk_create(people_of(user=user, group=group) for _, user, group in pairs)
    Activity.objects.bulk_create(Activity(user=user, group=group, activity=f"did {n}") for n, user, group in pairs)
    fill_calls(pairs, fill_money(pairs))
    Job.objects.bulk_create(Job(task=f"tasks.number{n}", cause=f"tasks.number{n}") for n in numbers)


def fill_money(pairs: list[tuple[int, User, Group]]) -> list[Account]:
    accounts = Account.objects.bulk_create(Account(user=user) for _, user, _ in pairs)
    owned = list(zip(pairs, accounts, strict=True))
    LedgerEntry.objects.bulk_create(
        LedgerEntry(
            account=account,
            kind="call",
            amount_micros=-8500,
            balance_after_micros=n * 8500,
            reference=f"twilio:CA{n}",
            memo=f"Call {n}",
            group_id=group.pk,
        )
        for (n, _, group), account in owned
    )
    top_ups = TopUp.objects.bulk_create(
        TopUp(
            account=account,
            customer=f"cus_{n}",
            amount_cents=2000,
            status="refused",
            payment=f"pi_{n}",
            message=f"Declined {n}",
        )
        for (n, _, _), account in owned
    )
    RefundRequest.objects.bulk_create(
        RefundRequest(key=f"key{top_up.pk}", account=top_up.account, top_up=top_up, amount_cents=5, refund=f"re_{n}")
        for top_up, (n, _, _) in zip(top_ups, pairs, strict=True)
    )
    Dispute.objects.bulk_create(
        Dispute(id=f"du_{n}", account=account, payment=f"pi_{n}", amount_cents=2000, status="needs_response")
        for (n, _, _), account in owned
    )
    Card.objects.bulk_create(
        Card(id=f"pm_{n}", user=user, brand="visa", last4=f"{n:04}", exp_month=3, exp_year=2034) for n, user, _ in pairs
    )
    FormerCustomer.objects.bulk_create(FormerCustomer(id=f"cus_old{n}", user=user) for n, user, _ in pairs)
    PaymentNotice.objects.bulk_create(
        PaymentNotice(cause=f"stripe:{n}", words=f"Stripe refuses {n}") for n, _, _ in pairs
    )
    StripeEvent.objects.bulk_create(
        StripeEvent(id=f"evt_{n}", type="refund.created", payload={"customer": f"cus_{n}"}) for n, _, _ in pairs
    )
    return accounts


def fill_calls(pairs: list[tuple[int, User, Group]], accounts: list[Account]) -> None:
    conferences = Conference.objects.bulk_create(Conference(sid=f"CF{n}", group_id=group.pk) for n, _, group in pairs)
    ConferenceEvent.objects.bulk_create(
        ConferenceEvent(conference=conference, sequence_number=1, kind="participant-join", payload={"Label": "leg"})
        for conference in conferences
    )
    Call.objects.bulk_create(
        Call(
            sid=f"CA{n}",
            user_id=user.pk,
            payer=account,
            group_id=group.pk,
            start_time=NOON,
            duration=3725,
            price_micros=-8500,
        )
        for (n, user, group), account in zip(pairs, accounts, strict=True)
    )
    devices = Device.objects.bulk_create(
        Device(user=user, identity=f"u_{n}", address=f"address {n}", binding_type="apn", endpoint=f"e{n}", sid=f"BS{n}")
        for n, user, _ in pairs
    )
    tags = zip(devices, pairs, strict=True)
    Device.tags.through.objects.bulk_create(
        Device.tags.through(device_id=device.pk, group_id=group.pk) for device, (_, _, group) in tags
    )
    Push.objects.bulk_create(
        Push(cause=f"call:CF{n}", group_id=group.pk, body=f"Group {n} talks", until_at=NOON) for n, _, group in pairs
    )
    Notice.objects.bulk_create(
        Notice(user=user, group=group, kind="invited", about=str(n), way="email") for n, user, group in pairs
    )
    SandboxEmail.objects.bulk_create(
        SandboxEmail(to=f"person{n}@example.com", subject=f"Letter {n}", text="Hello.", html="<p>Hello.")
        for n, _, _ in pairs
    )
    SandboxMessage.objects.bulk_create(SandboxMessage(to=f"+1202555{n:04}", body=f"Hello {n}") for n, _, _ in pairs)
    Erasure.objects.bulk_create(Erasure(person_id=10_000 + n) for n, _, _ in pairs)
    VendorDeletion.objects.bulk_create(
        VendorDeletion(kind="picture", name=f"image{n}", person_id=10_000 + n) for n, _, _ in pairs
    )
    SandboxNotification.objects.bulk_create(
        SandboxNotification(group_id=group.pk, body=f"Group {n} talks", identities=[f"u_{n}"]) for n, _, group in pairs
    )
