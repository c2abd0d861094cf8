"""Everything that takes locks, in one table: what the API writes, what webhooks and commands do, what operators do.

A writer is given a world, and does its one thing in it as its door would. What it is refused is no failure: the other
one may just have taken away what it is about.
"""

import json
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from urllib.parse import urlencode

from django.conf import settings
from django.core.management import call_command
from django.db import transaction
from django.http import Http404
from django.utils import timezone
from rest_framework.exceptions import APIException
from rest_framework.test import APIClient

from billing import webhook
from billing.admin.forms import AdjustmentForm, RefundForm
from billing.audit.reconciliation import reconcile_payments
from billing.gateway.interface import (
    DeletedCustomer,
    DetachedPaymentMethod,
    DisputeReport,
    Payment,
    PaymentMethod,
    Refund,
    WebhookEvent,
)
from billing.models import TopUp
from core.transactions import lock_rows
from groups.models import Group
from tests.pairs.world import World
from tests.voice.conftest import EVENTS, sign
from users.models import User
from users.services import delete_row
from users.sign_in.binding import Identity, bind
from voice.admin.settling import SettlingForm
from voice.captions.legs import adjust
from voice.captions.messages import speak_next
from voice.models import Call

Writer = Callable[[World], None]
WRITERS: dict[str, Writer] = {}
REFUSED = (APIException, Http404)


def writer(work: Writer) -> Writer:
    WRITERS[work.__name__.replace("_", " ")] = work
    return work


def asks(name: str, method: str, path: Callable[[World], str], body: Callable[[World], object] = lambda world: None):
    """A write of the API's."""

    def ask(world: World) -> None:
        answer = APIClient().generic(method, path(world), *encoded(body(world)))
        assert answer.status_code not in (500, 503), answer.content

    WRITERS[name] = ask


def encoded(body: object) -> tuple[str, str]:
    return json.dumps(body) if body is not None else "", "application/json"


def twilio(path: str, **params: object) -> None:
    headers = {"X-Twilio-Signature": sign(path, params)}
    form = "application/x-www-form-urlencoded"
    answer = APIClient().generic("POST", path, urlencode(params), content_type=form, headers=headers)
    assert answer.status_code in (200, 204), answer.content
    assert b"went wrong on our side" not in answer.content


def hears(name: str, about: Callable[[World], object]) -> None:
    """An event of Stripe's, once its signature is proved."""

    def hear(world: World) -> None:
        webhook.receive(WebhookEvent(world.name(f"evt_{name}_"), name, {}, about(world)))

    WRITERS[f"Stripe tells: {name}"] = hear


# --- Telephones -----------------------------------------------------------------------------------------------------

PHONE = {"phoneNumber": "+12025550143", "channel": "sms"}
asks("ask for a code", "POST", lambda w: f"/api/users/{w.alice.pk}/phoneVerification", lambda w: PHONE)
asks("type in a code", "POST", lambda w: f"/api/users/{w.alice.pk}/phoneVerification/check", lambda w: {"code": w.code})
asks("forget a number", "DELETE", lambda w: f"/api/users/{w.alice.pk}/phoneVerification")

# --- People, groups and their lists ---------------------------------------------------------------------------------

asks("PUT person", "PUT", lambda w: f"/api/users/{w.alice.pk}", lambda w: {"displayName": "Al", "callStatus": True})
asks("DELETE the payer", "DELETE", lambda w: f"/api/users/{w.alice.pk}")
asks("DELETE a member", "DELETE", lambda w: f"/api/users/{w.bob.pk}")
asks("POST group", "POST", lambda w: "/api/groups", lambda w: {"name": "New"})
asks("PUT group", "PUT", lambda w: f"/api/groups/{w.group.pk}", lambda w: {"name": "Kin"})
asks("PUT callStatus", "PUT", lambda w: f"/api/groups/{w.group.pk}/callStatus", lambda w: {"callStatus": False})
asks("DELETE group", "DELETE", lambda w: f"/api/groups/{w.group.pk}")
asks("POST activity", "POST", lambda w: f"/api/groups/{w.group.pk}/activities", lambda w: said(w.bob))
asks("accept an invitation", "POST", lambda w: f"/api/groups/{w.group.pk}/groupMembers", lambda w: named(w.carol))
asks("invite", "POST", lambda w: f"/api/groups/{w.work.pk}/groupInvitees", lambda w: named(w.carol))
asks("make a link", "POST", lambda w: f"/api/groups/{w.group.pk}/invitationLinks", lambda w: {})
asks("accept by a link", "POST", lambda w: f"/api/groups/invitations/{w.token}/accept", lambda w: named(w.carol))
asks("delete a link", "DELETE", lambda w: f"/api/groups/{w.group.pk}/invitationLinks/{w.link}")
asks("decline", "DELETE", lambda w: f"/api/groups/{w.group.pk}/groupInvitees/{w.carol.pk}")
asks("leave", "DELETE", lambda w: f"/api/groups/{w.group.pk}/groupMembers/{w.bob.pk}")
asks("make an owner", "POST", lambda w: f"/api/groups/{w.group.pk}/groupOwners", lambda w: named(w.bob))
asks("take an owner off", "DELETE", lambda w: f"/api/groups/{w.work.pk}/groupOwners/{w.alice.pk}")
asks("join the call list", "POST", lambda w: f"/api/groups/{w.group.pk}/callParticipants", lambda w: named(w.carol))
asks("take off the call", "DELETE", lambda w: f"/api/groups/{w.group.pk}/callParticipants/{w.bob.pk}")
asks("end the call", "DELETE", lambda w: f"/api/groups/{w.group.pk}/callParticipants")
asks("lock the call", "PUT", lambda w: f"/api/groups/{w.group.pk}/call", lambda w: {"locked": True})
asks("turn captions on", "PUT", lambda w: f"/api/groups/{w.group.pk}/captions", lambda w: {"on": True})
asks("turn captions off", "PUT", lambda w: f"/api/groups/{w.work.pk}/captions", lambda w: {"on": False})
asks("type a message", "POST", lambda w: f"/api/groups/{w.group.pk}/spokenMessages", lambda w: {"text": "Hello"})
asks("remove who is unknown", "DELETE", lambda w: f"/api/groups/{w.group.pk}/call/unknownCallers")
asks("get a new code", "POST", lambda w: f"/api/groups/{w.group.pk}/dialIn/pin", lambda w: named(w.bob))
asks("ring the family", "POST", lambda w: f"/api/groups/{w.kin.pk}/ring", lambda w: {})
asks("register a phone", "POST", lambda w: "/api/voice/registerBinding", lambda w: phone(w, w.alice))
asks("take over a phone", "POST", lambda w: "/api/voice/registerBinding", lambda w: phone(w, w.bob))
asks("forget a phone", "DELETE", lambda w: "/api/voice/registerBinding", lambda w: {"Address": f"phone{w.alice.pk}"})


def named(user: User) -> dict[str, int]:
    return {"userId": user.pk}


def said(user: User) -> dict[str, object]:
    return {"userId": user.pk, "activity": "spoke"}


def phone(world: World, user: User) -> dict[str, object]:
    """Alice's, which may become somebody else's."""
    address, tags = f"phone{world.alice.pk}", [str(world.work.pk), str(world.group.pk)]
    return {"identity": f"u_{user.pk}", "BindingType": "apn", "Address": address, "tag": tags}


@writer
def bind_a_sign_in(world: World) -> None:
    bind(Identity("https://issuer.example.com", world.name("sub"), world.alice.email, email_verified=True))


# --- Money ----------------------------------------------------------------------------------------------------------


def customer(world: World) -> dict[str, object]:
    return {"userStripeId": world.alice.stripe_id}


def card(world: World) -> dict[str, object]:
    return {**customer(world), "sourceId": "tok_visa"}


asks("PUT accountBalance", "PUT", lambda w: f"/api/users/{w.alice.pk}/accountBalance", lambda w: {"accountBalance": 7})
asks("PUT last4", "PUT", lambda w: f"/api/users/{w.alice.pk}/last4", lambda w: {"last4": "1111"})
asks("add money", "POST", lambda w: "/api/billing/addMoney", lambda w: {"userId": w.alice.pk, "amountToAdd": 20})
asks("attach a card", "POST", lambda w: "/api/billing/attachSourceToCustomer", card)
asks("choose a card", "POST", lambda w: "/api/billing/updateDefaultSource", card)
asks("ask for the card", "POST", lambda w: "/api/billing/retrieveCustomerDefaultSource", customer)


def pays(world: World, number: int = 0) -> str:
    return world.name(f"pi_{number}_")


def pending(world: World) -> Payment:
    top_up = TopUp.objects.filter(account=world.account, status="pending").first()
    received = {"status": "succeeded", "received_cents": 2000}
    return Payment(pays(world, 2), 2000, "usd", top_up=str(top_up and top_up.pk), **received)


hears("payment", pending)
hears("refund", lambda w: Refund(w.name("re_"), pays(w), 500, "succeeded"))
hears("refund failed", lambda w: Refund(w.name("re_"), pays(w), 500, "failed"))
hears("dispute", lambda w: DisputeReport(w.name("du_"), pays(w, 1), 2000, "needs_response", 2000, 0))
hears("dispute won", lambda w: DisputeReport(w.name("du_"), pays(w, 1), 2000, "won", 2000, 2000))
hears("card renewed", lambda w: PaymentMethod(f"pm_{w.alice.pk}", "visa", "1881", 12, 2040))
hears("card detached", lambda w: DetachedPaymentMethod(f"pm_{w.alice.pk}"))
hears("customer deleted", lambda w: DeletedCustomer(w.alice.stripe_id or ""))


# --- Calls ----------------------------------------------------------------------------------------------------------


def tells(name: str, number: int, event: str, call: str) -> None:
    """A conference event of Twilio's."""

    def tell(world: World) -> None:
        params = {"ConferenceSid": world.name("CF"), "FriendlyName": world.group.pk, "SequenceNumber": number}
        twilio(EVENTS, **params, StatusCallbackEvent=event, CallSid=call and world.name(call))

    WRITERS[f"Twilio tells: {name}"] = tell


tells("join", 3, "participant-join", "CAnew")
tells("leave", 4, "participant-leave", "CFbob_")
tells("conference-end", 9, "conference-end", "")


def calls(name: str, group: Callable[[World], Group], sid: str) -> None:
    def call(world: World) -> None:
        caller = f"client:u_{world.bob.pk}"
        twilio("/api/voice/makeCall", to=group(world).pk, From=caller, CallSid=world.name(sid))

    WRITERS[name] = call


calls("make a call", lambda w: w.group, "CAfresh")
calls("make a call in another group", lambda w: w.work, "CAother")
calls("make a call that was told of before", lambda w: w.group, "CAearly")
calls("make a call again", lambda w: w.group, "CFbob_")


@writer
def dial_in_with_a_code(world: World) -> None:
    caller = {"From": "anonymous", "To": "+12025550100", "CallSid": world.name("CAdialled")}
    twilio("/api/voice/dialIn/pin", **caller, Digits=world.pin)


def rung(world: World) -> dict[str, object]:
    return {"From": "+15005550006", "To": "+12025550143", "CallSid": world.name("CArung"), "Direction": "outbound-api"}


@writer
def press_1_when_rung(world: World) -> None:
    twilio(f"/api/voice/ringAnswer?leg={world.leg}&asked=1", **rung(world), Digits="1")


@writer
def press_another_key_when_rung(world: World) -> None:
    twilio(f"/api/voice/ringAnswer?leg={world.leg}&asked=1", **rung(world), Digits="2")


@writer
def nobody_answers_a_ring(world: World) -> None:
    twilio(f"/api/voice/callEvents?leg={world.leg}", **rung(world), CallStatus="no-answer", CallDuration=0)


@writer
def a_leg_ends(world: World) -> None:
    ended = {"CallStatus": "completed", "CallDuration": 61}
    twilio("/api/voice/callEvents", CallSid=world.name("CFalice_"), **ended)


@writer
def a_leg_ends_in_another_group(world: World) -> None:
    ended = {"CallStatus": "completed", "CallDuration": 61}
    twilio("/api/voice/callEvents", CallSid=world.name("CWbob_"), **ended)


CONTENT = {"TranscriptionEvent": "transcription-content", "Track": "inbound_track", "LanguageCode": "en-US"}


def somebody_says(world: World, number: int, text: str, **more: object) -> None:
    told = {**CONTENT, "TranscriptionSid": world.name("GT"), "CallSid": world.name("CFbob_"), "SequenceId": number}
    twilio("/api/voice/captionEvents", **told, TranscriptionData=json.dumps({"transcript": text}), **more)


@writer
def somebody_speaks(world: World) -> None:
    somebody_says(world, 3, "Hello", Final="false")


@writer
def somebody_has_spoken(world: World) -> None:
    somebody_says(world, 4, "Hello there", Final="true")


@writer
def words_are_told_late(world: World) -> None:
    somebody_says(world, 1, "Well", Final="true")


@writer
def nothing_more_is_written_down(world: World) -> None:
    sids = {"TranscriptionSid": world.name("GT"), "CallSid": world.name("CFbob_")}
    twilio("/api/voice/captionEvents", TranscriptionEvent="transcription-stopped", **sids, SequenceId=9)


@writer
def a_message_was_spoken(world: World) -> None:
    url = f"{settings.PUBLIC_URL}/api/voice/announcement?message={world.message}"
    told = {"ConferenceSid": world.name("CF"), "FriendlyName": world.group.pk, "SequenceNumber": 90}
    twilio(EVENTS, StatusCallbackEvent="announcement-end", AnnounceUrl=url, **told)


@writer
def a_message_is_spoken(world: World) -> None:
    speak_next.func(world.group.pk)


@writer
def captions_are_asked_for(world: World) -> None:
    adjust.func(Call.objects.get(sid=world.name("CFalice_")).pk)


# --- Commands -------------------------------------------------------------------------------------------------------


def runs(command: str, **options: object) -> None:
    WRITERS[command] = lambda world: call_command(command, stdout=StringIO(), stderr=StringIO(), **options)


runs("sync_call_prices")
runs("reconcile_calls")
WRITERS["reconcile_payments"] = lambda world: reconcile_payments(now=timezone.now(), days=0)


# --- Operators ------------------------------------------------------------------------------------------------------


def form(kind: type[AdjustmentForm | RefundForm], row: object, **written: object) -> None:
    empty = kind(row)  # type: ignore[arg-type]
    filled = kind(row, {"key": empty.initial["key"], **written})  # type: ignore[arg-type]
    if filled.is_valid():
        filled.save(log=lambda words: None)


@writer
def add_by_hand(world: World) -> None:
    form(AdjustmentForm, world.account, amount="2.50", reason="sorry")


@writer
def take_by_hand(world: World) -> None:
    form(AdjustmentForm, world.account, amount="-2.50", reason="a mistake")


@writer
def give_back(world: World) -> None:
    top_up = TopUp.objects.filter(account=world.account, status="succeeded").last()
    form(RefundForm, world.account, top_up=top_up and top_up.pk, amount="3")


@writer
def settle_a_call(world: World) -> None:
    call = Call.objects.get(sid=world.name("CAold"))
    if call.settled_by != Call.SettledBy.STAFF:
        form(SettlingForm, call, amount="0.5", reason="as told")


@writer
def settle_a_call_of_long_ago(world: World) -> None:
    """Its end was never told: it is taken to have ended."""
    call = Call.objects.get(sid=world.name("CFbob_"))
    call.created_at = timezone.now() - timedelta(hours=5)
    call.save(update_fields=["created_at"])
    form(SettlingForm, call, amount="0.5", reason="as told")


@writer
def delete_people(world: World) -> None:
    """As the admin's list does."""
    User.objects.filter(pk__in=[each.pk for each in world.people]).delete()


@writer
def delete_groups(world: World) -> None:
    Group.objects.filter(pk__in=[world.work.pk, world.group.pk]).delete()


@writer
def delete_another_group(world: World) -> None:
    delete_row(Group.objects.all(), world.work.pk)


@writer
def disable(world: World) -> None:
    """As a person's page in the admin does."""
    with transaction.atomic():
        for alice in lock_rows(User.objects.filter(pk=world.alice.pk)):
            alice.is_active = False
            alice.save()


@writer
def unbind(world: World) -> None:
    people = User.objects.filter(pk__in=[each.pk for each in world.people])
    with transaction.atomic():
        lock_rows(people)
        people.update(oidc_issuer=None, oidc_subject=None)
