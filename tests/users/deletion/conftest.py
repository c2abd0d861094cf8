"""A person of whom something is kept wherever something can be, and the ways to delete them."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group as PermissionGroup
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from billing.cards import replace_default
from billing.ledger import account_of
from billing.models import (
    CardRefusal,
    Dispute,
    FormerCustomer,
    PaymentNotice,
    RefundRequest,
    StripeEvent,
    TopUp,
)
from groups.models import (
    Activity,
    Caption,
    Departure,
    Device,
    Group,
    Invitation,
    InvitationLink,
    Membership,
    Ownership,
    PartialCaption,
    Participant,
    Push,
    Ring,
    SandboxNotification,
)
from groups.notifications.models import Notice, SandboxEmail, SandboxMessage
from tests.admin import conftest as admin
from tests.admin.conftest import browser, root  # noqa: F401  # fixtures
from tests.billing.conftest import send  # noqa: F401  # a fixture
from tests.doubles.stripe import event
from tests.neighbours import ours
from tests.uploads.files import picture
from tests.voice.conftest import committed, leg, sign, tell, twilio  # noqa: F401  # fixtures
from users.limits import of_person, take_place
from users.models import (
    KeptAnswer,
    NotificationChoices,
    PendingVerification,
    StreamTicket,
    User,
    VendorDeletion,
    VerifiedNumber,
)
from voice.credit.prices import ask_for_price
from voice.dial_in.codes import code_in
from voice.dial_in_models import DialInCode
from voice.models import Call, GroupCall, HangUp, UnreadWebhook

PHONE = 12025550123
VERIFIED = 12025550177
TOKEN = "device-token-of-zdenka-0123456789"
STREET = "17 Quillfeather Lane"


@pytest.fixture
def vendors(twilio_telephony, twilio_double, stripe_payments, stripe_double, cloudinary_storage, cloudinary_double):
    """All three at work, by their doubles."""
    return {"twilio": twilio_double, "stripe": stripe_double, "cloudinary": cloudinary_double}


@pytest.fixture
def zdenka(db) -> User:
    return User.objects.create(
        email="zdenka.quill@example.com",
        display_name="Zdeňka Q.",
        first_name="Zdeňka",
        last_name="Quillfeather",
        phone_number=PHONE,
        oidc_issuer="https://sign-in.example.com/",
        oidc_subject="auth0|zdenka-5f7c",
        last_login=timezone.now(),
        is_staff=True,
    )


@pytest.fixture
def known(vendors, zdenka, alice, api, send, twilio, tell, group) -> dict[str, str]:  # noqa: F811
    """All that names Zdeňka, and where it came from: the API, the vendors' webhooks, the admin."""
    in_groups(zdenka, alice, group, api)
    VerifiedNumber.objects.create(user=zdenka, number=f"+{VERIFIED}", verified_at=timezone.now())
    PendingVerification.objects.create(
        user=zdenka, number=f"+{VERIFIED}", channel="sms", sid="VE1", expires_at=timezone.now()
    )
    customer = pays(zdenka, api, vendors["stripe"])
    told_by_stripe(zdenka, customer, vendors["stripe"], send)
    calls(twilio, tell, group)
    in_the_admin(zdenka, group)
    zdenka.refresh_from_db()
    return {
        "the email": zdenka.email,
        "the display name": zdenka.display_name,
        "the first name": "Zdeňka",
        "the last name": "Quillfeather",
        "the phone's number": str(PHONE),
        "the phone's number with a plus": f"+{PHONE}",
        "the phone's number, without the country's code": str(PHONE)[1:],
        "the verified number": str(VERIFIED),
        "the sign-in": "auth0|zdenka-5f7c",
        "the avatar's address": zdenka.avatar or "",
        "the avatar's public id": "image1",
        "the device's address": TOKEN,
        "the device's binding": Device.objects.get(user=zdenka).sid,
        "the digest of the code by which they dial in": DialInCode.objects.get(user=zdenka).digest,
        "the street": STREET,
        "the customer": customer,
        "a former customer": "cus_of_before",
        "the card": zdenka.cards.get().pk,
        "the card's last digits": zdenka.last4 or "",
        "the client's key": "key-of-zdenka",
        "the bank's words": "Quillfeather has no funds",
        "the session": f"'_auth_user_id': '{zdenka.pk}'",
    }


def in_groups(zdenka: User, alice: User, group: Group, api: Any) -> None:
    own = Group.objects.create(name="Own")
    for people in (Ownership, Membership, Participant):
        people.objects.create(group=own, user=zdenka)
    Membership.objects.create(group=group, user=zdenka)
    code_in(group_id=group.pk, user_id=zdenka.pk)
    Invitation.objects.create(group=Group.objects.create(name="Inviting"), user=zdenka)
    Departure.objects.create(group=Group.objects.create(name="Left"), user=zdenka, left_at=timezone.now())
    Ring.objects.create(group=group, user=zdenka, by=alice)
    Ring.objects.create(group=group, user=alice, by=zdenka)
    Activity.objects.create(group=group, user=zdenka, activity="Zdeňka Q. accepted the invitation")
    Activity.objects.create(group=group, user=alice, activity="Alice invited Zdeňka Q. (call +12025550123)")
    Activity.objects.create(
        group=group, user=alice, activity="Alice asked ZDENKA.QUILL@example.com, whom we call Zdeňka"
    )
    SandboxNotification.objects.create(group_id=group.pk, body="Zdeňka Q. calls", identities=["u_9999"])
    SandboxNotification.objects.create(group_id=group.pk, body="A call", identities=["u_9999", f"u_{zdenka.pk}"])
    SandboxMessage.objects.create(to=f"+{PHONE}", body="A call was missed.")
    SandboxMessage.objects.create(to="+12025550199", body="Zdeňka Quillfeather invites you.")
    for number, words in enumerate(("Zdeňka Q. calls", "Write to zdenka.quill@example.com")):
        Push.objects.create(cause=f"call:CF{number}", group_id=group.pk, body=words, until_at=timezone.now())
    link = {"group": group, "nonce": "", "max_uses": 2, "expires_at": timezone.now() + timedelta(days=7)}
    for made_by, sent_to in ((zdenka, "grandma@example.com"), (alice, zdenka.email), (None, f"+{PHONE}")):
        made = InvitationLink.objects.create(
            **link, made_by=made_by, digest=f"{made_by and made_by.pk}", sent_to=sent_to
        )
    made.accepted_by.add(zdenka)
    Notice.objects.create(user=zdenka, kind="card", about="pm_1:2034-3", way="email", facts={"last4": "4242"})
    for to, text in ((zdenka.email, "Hello."), ("other@example.com", "Zdeňka Q. invited you.")):
        SandboxEmail.objects.create(to=to, subject="A letter", text=text, html=f"<p>{text}")
    body = {"identity": f"u_{zdenka.pk}", "address": TOKEN, "tags": [group.pk]}
    assert api.post("/api/voice/registerBinding", body).status_code == 201
    answer = api.post("/api/upload", {"image": SimpleUploadedFile("me.png", picture())}, format="multipart")
    assert api.put(f"/api/users/{zdenka.pk}", {"avatar": answer.json()["image"]}).status_code == 200


def pays(zdenka: User, api: Any, stripe: Any) -> str:
    FormerCustomer.objects.create(id="cus_of_before", user=zdenka)
    replace_default(user=zdenka, source="tok_visa")
    body = {"userId": zdenka.pk, "amountToAdd": 20}
    assert api.post("/api/billing/addMoney", body, headers={"Idempotency-Key": "key-of-zdenka"}).status_code == 200
    account = account_of(zdenka)
    refused = TopUp.objects.create(
        account=account,
        customer=zdenka.stripe_id or "",
        source="tok_visa",
        amount_cents=500,
        status=TopUp.Status.REFUSED,
        message="Quillfeather has no funds",
    )
    CardRefusal.objects.create(user=zdenka, who=of_person(zdenka), why="Quillfeather has no funds")
    KeptAnswer.objects.create(name="k" * 64, body="b" * 64, user=zdenka, status=200, until=timezone.now())
    NotificationChoices.objects.create(user=zdenka, sms=True)
    StreamTicket.objects.create(digest="d" * 64, user=zdenka, until=timezone.now())
    RefundRequest.objects.create(key="k1", account=account, top_up=refused, amount_cents=5, status="refused")
    Dispute.objects.create(id="du_1", account=account, payment="pi_1", amount_cents=500, status="lost", settled=True)
    return zdenka.stripe_id or ""


def told_by_stripe(zdenka: User, customer: str, stripe: Any, send: Any) -> None:  # noqa: F811  # a fixture's value
    card = stripe.methods[zdenka.cards.get().pk]
    billing = {"name": "Zdeňka Quillfeather", "email": zdenka.email, "address": {"line1": STREET}, "phone": f"+{PHONE}"}
    whole = {**card, "billing_details": billing}
    for kind, thing in (
        ("payment_method.updated", whole),
        ("customer.updated", {**stripe.customers[customer], "address": {"line1": STREET}}),
        ("payment_intent.succeeded", {**next(iter(stripe.intents.values())), "receipt_email": zdenka.email}),
    ):
        assert send(event(kind, thing)).status_code == 204
    raw = {
        "id": "evt_raw",
        "type": "payment_method.attached",
        "data": {"object": whole},
    }  # as no version of ours keeps it
    StripeEvent.objects.create(id="evt_raw", type="payment_method.attached", payload=raw)
    thin = {"id": "evt_thin", "type": "v1.customer.updated", "related_object": {"id": customer, "type": "customer"}}
    StripeEvent.objects.create(id="evt_thin", type=thin["type"], payload=thin)
    former = {"id": "evt_former", "type": "customer.updated", "data": {"object": {"id": "cus_of_before"}}}
    StripeEvent.objects.create(id="evt_former", type="customer.updated", payload=former)
    PaymentNotice.objects.create(cause="stripe:email_invalid", words=f"Stripe refuses {zdenka.email} of {customer}")


def calls(twilio: Any, tell: Any, group: Group) -> None:  # noqa: F811  # fixtures' values
    phone = {"From": f"+{VERIFIED}", "To": "+15005550006"}
    assert b"<Dial" in twilio("/api/voice/makeCall", to=group.pk, CallSid="CA1", **phone).content
    tell(1, "participant-join", "CA1")
    held = {"ConferenceSid": "CF1", "FriendlyName": group.pk, "SequenceNumber": 2, "CallSid": "CA1"}
    path, params = "/api/voice/conferenceEvents", {**held, "StatusCallbackEvent": "participant-hold", **phone}
    assert twilio(path, signature=sign(path, params), **params).status_code == 204
    call = Call.objects.get(sid="CA1")
    Call.objects.create(sid="CA2", caller=f"+{PHONE}", group_id=group.pk, end_time=timezone.now())
    ask_for_price.enqueue(Call.objects.get(sid="CA1").pk)
    UnreadWebhook.objects.create(path="/api/voice/callEvents", field_count=10_001, text="From To")
    take_place("tries", of_person(User.objects.get(phone_number=PHONE)), 1, 60)
    HangUp.objects.create(call=Call.objects.get(sid="CA1"), why=HangUp.Why.TAKEN_OFF)
    GroupCall.objects.create(group=group, locked=True, captions=True, captions_by=call.user_id)
    told = {"TranscriptionSid": "GT1", "CallSid": "CA1", "TranscriptionEvent": "transcription-content"}
    for number, is_final in enumerate(("true", "false"), 1):
        data = json.dumps({"transcript": "Zdeňka Quillfeather says hello"})
        twilio("/api/voice/captionEvents", **told, SequenceId=number, Final=is_final, TranscriptionData=data)
    assert Caption.objects.filter(user=call.user_id).exists()
    assert PartialCaption.objects.filter(user=call.user_id).exists()
    typed = {"typed": True, "spoken": "waiting", "text": "Hello from Zdeňka", "display_name": "Zdeňka Quillfeather"}
    Caption.objects.create(group=group, user_id=call.user_id, **typed)


def in_the_admin(zdenka: User, group: Group) -> None:
    """She is an operator, was looked after by another, and stands in the history of a group."""
    zdenka.user_permissions.set(Permission.objects.all()[:1])
    zdenka.groups.add(PermissionGroup.objects.create(name="Helpers"))
    Client().force_login(zdenka)
    other = User.objects.create(email="operator@example.com", display_name="Operator", is_staff=True)
    people, groups = (ContentType.objects.get_for_model(model) for model in (User, Group))
    added = '[{"added": {"name": "activity", "object": "Alice invited Zde\\u0148ka Q."}}]'
    history = [(people, zdenka.pk, str(zdenka), "[]"), (groups, group.pk, "Family", added)]
    history.append((groups, group.pk, "Family", f"Wrote to {zdenka.email}."))
    for kind, row, words, message in history:
        LogEntry.objects.create(
            user=other, content_type=kind, object_id=row, object_repr=words, action_flag=2, change_message=message
        )


@pytest.fixture(params=["api", "admin", "admin together", "object", "queryset"])
def delete(request, api, browser, committed):  # noqa: F811  # fixtures
    """Each way in which a person can be deleted."""
    ways = {
        "api": lambda user: api.delete(f"/api/users/{user.pk}"),
        "admin": lambda user: admin.delete(browser, user),
        "admin together": lambda user: admin.delete_together(browser, user),
        "object": lambda user: user.delete(),
        "queryset": lambda user: User.objects.filter(pk=user.pk).delete(),
    }

    def delete(user: User) -> None:
        with committed():
            ways[request.param](User.objects.get(pk=user.pk))
        assert not User.objects.filter(pk=user.pk).exists()

    return delete


def left() -> list[tuple[str, str]]:
    """What vendors have not deleted yet."""
    return list(ours(VendorDeletion).values_list("kind", "name"))
