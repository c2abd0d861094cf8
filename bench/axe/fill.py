"""Fills a migrated, empty database so that each page of the admin has something to show, and names those pages.

Among the rows are a person and a group with names as long as they may be, lists that take several pages, and a session
whose operator is asked for their password once more.
"""

import json
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import Group as PermissionGroup
from django.contrib.auth.models import Permission
from django.db import transaction
from django.utils import timezone

from bench.axe.pages import pages
from billing.ledger import account_of, adjust, post_entry
from billing.models import (
    Account,
    Card,
    CardRefusal,
    Dispute,
    FormerCustomer,
    PaymentNotice,
    RefundRequest,
    StripeEvent,
    TopUp,
)
from core.jobs.models import Job, ScheduledCommand, WorkerSeen
from groups.models import (
    Activity,
    Caption,
    Device,
    Group,
    Invitation,
    InvitationLink,
    Membership,
    Ownership,
    PartialCaption,
    Participant,
    Push,
    SandboxNotification,
)
from groups.notifications.models import Notice, SandboxEmail, SandboxMessage
from users.models import (
    Erasure,
    Export,
    NotificationChoices,
    PendingVerification,
    StreamTicket,
    User,
    VendorDeletion,
    VerifiedNumber,
)
from users.operators.password import GIVEN_AT
from users.operators.sessions import BEGAN_AT, SEEN_AT
from voice.models import Call, Conference, ConferenceEvent, DialInNumber, GroupCall, HangUp, UnreadWebhook

EMAIL, PASSWORD = "root@example.com", "only in this bench 4711"
PEOPLE = 230
"""More than are deleted at once, and than a page shows."""
LONG = "Maximiliana" + "w" * 117
"""As long as a name may be, in one word."""


@transaction.atomic
def fill() -> None:
    """Prints what the browser needs, as JSON: who logs in, the sessions, and the pages."""
    root = User.objects.create_superuser(EMAIL, PASSWORD, display_name="Root")
    now = timezone.now()
    people = [User(email=f"person{n}@example.com", display_name=f"Person {n}", last_name="Lee") for n in range(PEOPLE)]
    User.objects.bulk_create(people)
    long = User.objects.create(
        email=f"{'w' * 64}@{'example' * 7}.com", display_name=LONG, oidc_issuer="https://a.example", oidc_subject=LONG
    )
    group = Group.objects.create(name=LONG, phone_number="+15550000000", call_status=True)
    fill_lists(group, [long, *people])
    fill_money(long)
    fill_calls(long, group, now)
    fill_captions(long, group, now)
    fill_person(long, group, now)
    rights = PermissionGroup.objects.create(name=LONG)
    rights.permissions.set(Permission.objects.all()[:5])
    Job.objects.create(
        task=f"voice.{LONG}", arguments="[[17], {}]", state="dead", tries=12, fault="It failed by KeyError."
    )
    WorkerSeen.objects.create(name=LONG[:64], threads=4)
    ScheduledCommand.objects.create(name=LONG[:64], next_at=now, ran_at=now, seconds=1.5, result=LONG)
    Erasure.objects.create(person_id=4711)
    VendorDeletion.objects.create(kind="picture", name=LONG, fault="ApiError", tries=3)
    for row in (long, group, rights, account_of(long)):
        LogEntry.objects.log_actions(root.pk, [row], CHANGE, "Changed Display name.", single_object=True)
    empty = [model.__name__ for model in apps.get_models() if model.__module__ in OURS and not model.objects.exists()]
    told = {
        "email": EMAIL,
        "password": PASSWORD,
        "cookie": settings.SESSION_COOKIE_NAME,
        "sessions": {
            "operator": session(root, now),
            "to be ended desktop": session(root, now),
            "to be ended phone": session(root, now),
            "long ago": session(root, now, asked=timedelta(minutes=11)),
        },
        "group": group.pk,
        "pages": pages(root, long=long, other=people[0]),
        "empty": sorted(set(empty) - BEHIND),
    }
    print(json.dumps(told))


OURS = tuple(f"{app}.models" for app in ("users", "groups", "billing", "voice", "uploads", "core.jobs"))
BEHIND = {
    *("IssuerKeys", "LimitCount", "KeptAnswer", "SandboxObject", "Departure", "Picture", "EveryGroup", "Ring"),
}
"""What no page shows."""


def fill_person(long: User, group: Group, now: datetime) -> None:
    """What only the page of their whole story shows."""
    InvitationLink.objects.create(
        group=group, made_by=long, digest="a", nonce="n", sent_to=LONG, max_uses=5, expires_at=now
    )
    NotificationChoices.objects.create(user=long, sms=True)
    VerifiedNumber.objects.create(user=long, number=f"+{'1' * 15}", verified_at=now)
    PendingVerification.objects.create(user=long, number=f"+{'2' * 15}", channel="sms", sid="VE1", expires_at=now)
    StreamTicket.objects.create(digest="a", user=long, until=now)
    Export.objects.create(user=long)


def fill_captions(long: User, group: Group, now: datetime) -> None:
    """So many that the list scrolls and has a page before; one of each kind is among the newest."""
    said = {"group": group, "user": long, "display_name": LONG, "language": "en-US"}
    typed = {**said, "typed": True, "text": "Is anybody there?"}
    told = [Caption(**said, text=f"This is sentence {number}.") for number in range(60)]
    told += [Caption(**{**said, "user": None, "display_name": "Caller 1", "language": "he-IL"}, text="שלום לכולם")]
    told += [Caption(**said, text="w" * 300), Caption(**typed, spoken="waiting"), Caption(**typed, spoken="spoken")]
    told += [Caption(**typed, spoken="notSpoken", why="The call ended before it was spoken.")]
    for number, caption in enumerate(told):
        caption.created_at = now - timedelta(seconds=len(told) - number)
    Caption.objects.bulk_create(told)
    PartialCaption.objects.create(**said, text="And I am just saying", transcription="GT1", sequence_id=1)


def session(user: User, now: datetime, asked: timedelta = timedelta()) -> str:
    """The key of one that began just now; the password was given so long ago."""
    made: Any = import_module(settings.SESSION_ENGINE).SessionStore()
    made[SESSION_KEY], made[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
    made[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    made[BEGAN_AT] = made[SEEN_AT] = now.timestamp()
    made[GIVEN_AT] = (now - asked).timestamp()
    made.save()
    key: str = made.session_key
    return key


def fill_lists(group: Group, people: list[User]) -> None:
    """More members than a page of theirs shows."""
    Ownership.objects.create(group=group, user=people[0])
    Membership.objects.bulk_create(Membership(group=group, user=user) for user in people[:130])
    Invitation.objects.bulk_create(Invitation(group=group, user=user) for user in people[130:135])
    Participant.objects.bulk_create(Participant(group=group, user=user) for user in people[:3])
    other = Group.objects.create(name="Family")
    Ownership.objects.create(group=other, user=people[1])
    Invitation.objects.create(group=other, user=people[0])
    Activity.objects.create(group=group, user=people[0], activity=LONG)
    device = Device.objects.create(
        user=people[0], identity="u_1", address=LONG, binding_type="apn", endpoint=LONG, sid="BS1"
    )
    device.tags.add(group)
    Notice.objects.create(user=people[0], group=group, kind="invited", about="1", way="email", why="x" * 100)
    SandboxEmail.objects.create(to="rose@example.com", subject=LONG, text=LONG, html=f"<p>{LONG}</p>")
    Push.objects.create(cause="call:CF1", body=LONG, until_at=timezone.now())
    SandboxMessage.objects.create(to=f"+{'1' * 15}", body=LONG)
    SandboxNotification.objects.create(group_id=group.pk, body=LONG, identities=["u_1"])


def fill_money(long: User) -> None:
    account = account_of(long)
    entry = post_entry(
        account=account, kind="top_up", amount_micros=20_000_000, reference="stripe:pi_1", memo="Money added by card"
    )
    paid = {"customer": "cus_1", "amount_cents": 2000, "payment": "pi_1"}
    top_up = TopUp.objects.create(account=account, status="succeeded", entry=entry, **paid)
    TopUp.objects.create(account=account, customer="cus_1", amount_cents=700, status="pending")
    RefundRequest.objects.create(key="a", account=account, top_up=top_up, amount_cents=50)
    adjust(account=account, amount_micros=500_000, reference="adjustment:a", memo=LONG)
    Dispute.objects.create(id="du_1", account=account, payment="pi_1", amount_cents=2000, status="needs_response")
    Card.objects.create(id="pm_1", user=long, brand="visa", last4="4242", exp_month=3, exp_year=2034, is_default=True)
    FormerCustomer.objects.create(id="cus_old", user=long)
    CardRefusal.objects.create(user=long, who="a" * 64, amount_cents=2000, why="Your card was declined.")
    PaymentNotice.objects.create(cause="stripe:expired_api_key", words=f"Expired API key provided. {LONG}")
    StripeEvent.objects.create(id="evt_1", type="refund.created", payload={"id": LONG, "words": ["a", {"b": LONG}]})
    Account.objects.create(user=None)


def fill_calls(long: User, group: Group, now: datetime) -> None:
    conference = Conference.objects.create(sid="CF1", group_id=group.pk)
    ConferenceEvent.objects.create(
        conference=conference, sequence_number=1, kind="participant-join", call_sid="CA1", payload={"Label": LONG}
    )
    leg = {"user_id": long.pk, "group_id": group.pk, "payer": account_of(long), "conference": conference}
    running = Call.objects.create(sid="CA1", is_on=True, start_time=now, **leg)
    HangUp.objects.create(call=running, why="taken_off")
    ended = now - timedelta(hours=1)
    Call.objects.create(sid="CA2", status="completed", start_time=ended, end_time=now, duration=3600, **leg)
    Call.objects.create(sid="CA3", price_told="-0.5", price_unit="EUR", doubted_at=ended, caller=f"+{'1' * 15}", **leg)
    UnreadWebhook.objects.create(path="/api/voice/callEvents", field_count=20_000, text=LONG)
    GroupCall.objects.create(group=group, locked=True)
    DialInNumber.objects.create(group=group, number=f"+{'1' * 15}")
