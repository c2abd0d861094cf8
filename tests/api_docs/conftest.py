"""The town in which the stories are told: the cast by its numbers, with a call that is on, cards and money."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import pytest
from django.apps import apps
from django.core.cache import cache
from django.core.management.color import no_style
from django.db import connection, transaction
from django.utils import timezone

from groups.invitations.services import make_link
from groups.models import Activity, Group, Invitation, Membership, Ownership, Participant
from tests.access.conftest import give_secrets
from tests.access.test_matrix import photo
from tests.api_docs.story import Story, fill
from tests.conftest import Client, person
from tests.doubles.stripe import WEBHOOK_SECRET, signature
from tests.voice.conftest import sign
from users.models import Export, PendingVerification
from users.sign_in.local_issuer import local_token
from users.unsubscribing import unsubscribe_address
from users.verification.interface import verification
from voice.dial_in.codes import code_in
from voice.models import Call, Conference
from voicechat.export import views
from voicechat.export.contents import size_of

EXPORT = "0b5c2f5e-7c1d-4f0e-9a3b-2d8e6f1a4c7"
CAST = ("Alice", "Bob", "Carol", "Dave", "Root")
STRIPE = {
    "BACKEND": "billing.gateway.stripe_payments.StripePayments",
    "OPTIONS": {"sk_test": "sk_test_1", "webhook_secret": WEBHOOK_SECRET},
}


class Told(NamedTuple):
    status: int
    kind: str
    text: str


def number_from_one() -> None:
    """The next id of each table is the one after its largest, whatever other tests have made."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("UPDATE sqlite_sequence SET seq = 0")
        for statement in connection.ops.sequence_reset_sql(no_style(), apps.get_models()):
            cursor.execute(statement)


@pytest.fixture
def town(db, settings, tmp_path, monkeypatch) -> dict[str, str]:
    """What the words in braces of the stories stand for."""
    cache.clear()
    settings.MEDIA_ROOT = tmp_path
    settings.DIAL_IN_NUMBERS = ["+12025550100"]
    number_from_one()
    alice, bob, carol, dave, _ = people = [person(name, is_staff=name == "Root") for name in CAST]
    group = Group.objects.create(name="Family")
    Ownership.objects.create(group=group, user=alice)
    Ownership.objects.create(group=group, user=bob)
    Membership.objects.bulk_create(Membership(group=group, user=each) for each in (alice, bob))
    Invitation.objects.create(group=group, user=carol)
    Participant.objects.create(group=group, user=bob)
    for user, words in ((alice, "Alice created the group"), (bob, "Bob joined"), (bob, "Bob says hello")):
        Activity.objects.create(group=group, user=user, activity=words)
    talk = Conference.objects.create(pk="CF1", group_id=group.pk)
    Call.objects.create(sid="CA1", user_id=bob.pk, group_id=group.pk, conference=talk, is_on=True, price_micros=-34_000)
    Call.objects.create(sid="CA2", group_id=group.pk, conference=talk, is_on=True, caller="+12025550177")
    give_secrets(people)
    _, link = make_link(group_id=group.pk, maker=alice, who="", now=timezone.now(), max_uses=5, days=7)
    code = verification().code_of(PendingVerification.objects.get(user=alice).sid)
    for number, content in ((0, b"a ZIP"), (1, None)):
        made_at = timezone.now() if content else None
        Export.objects.create(pk=f"{EXPORT}{number}", user=alice, made_at=made_at, content=content)
    monkeypatch.setattr(views, "MOST_AT_ONCE", size_of(dave.pk, most=1000))  # of Alice more is kept
    pin = code_in(group_id=group.pk, user_id=bob.pk)
    letter = urlsplit(unsubscribe_address(alice.pk)).query.partition("=")[2]
    return {"link": link, "code": code, "letter": letter, "card": f"pm_sandbox_{alice.stripe_id}", "pin": pin}


@pytest.fixture
def tell(town, sign_in, settings) -> Callable[[Story], Told]:
    """Asks what a story asks, and undoes it; the answer."""

    def tell(story: Story) -> Told:
        settings.PAYMENTS = STRIPE if story.who == "stripe" else {**settings.PAYMENTS, "OPTIONS": {}}
        number_from_one()
        with transaction.atomic():
            answer = Client(raise_request_exception=True).generic(
                story.method, fill(story.address, town), **sent(story, town)
            )
            content = b"".join(answer.streaming_content) if answer.streaming else answer.content
            transaction.set_rollback(True)
        kind = answer.get("Content-Type", "").partition(";")[0]
        text = f"(the bytes of {kind})" if kind == views.ZIP else content.decode()
        return Told(answer.status_code, kind, text)

    return tell


def sent(story: Story, names: dict[str, str]) -> dict[str, Any]:
    """The body, its type and the headers."""
    body, address = story.body(names), fill(story.address, names)
    headers = {"Accept": story.accepts} if story.accepts else {}
    if story.who == "twilio":
        params = texts(body or {})
        headers["X-Twilio-Signature"] = sign(address, params)
        form = {"content_type": "application/x-www-form-urlencoded"} if params else {}
        return {"data": urlencode(params), **form, "headers": headers}
    content = json.dumps(body).encode() if body is not None else b""
    if story.who == "stripe":
        headers["Stripe-Signature"] = signature(content)
    elif story.who != "nobody":
        headers["Authorization"] = f"Bearer {local_token(f'{story.who}@example.com')}"
    if story.path == "/api/upload":
        return {**multipart(photo()), "headers": headers}
    return {"data": content, "content_type": "application/json", "headers": headers}


def multipart(fields: dict[str, Any]) -> dict[str, Any]:
    data, content_type = Client()._encode_data(fields, format="multipart")
    return {"data": data, "content_type": content_type}


def texts(params: dict[str, Any]) -> dict[str, str]:
    """As a form of Twilio's has them: true and false in small letters."""
    return {name: json.dumps(value) if isinstance(value, bool) else str(value) for name, value in params.items()}
