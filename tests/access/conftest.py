"""The matrix's callers, the people whom they meet, and clients that are signed in."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db.models import F
from django.utils import timezone

from billing.models import Account, LedgerEntry, SandboxObject
from groups.invitations.services import make_link
from groups.invitations.tokens import token_of
from groups.models import Activity, Group, Invitation, Membership, Ownership, Participant
from tests.conftest import Client, person
from tests.doubles.issuer import HOUR, rsa_key
from tests.neighbours import ours
from tests.voice.conftest import twilio  # noqa: F401  # a fixture
from users.models import Export, PendingVerification, User, VerifiedNumber
from users.verification.interface import verification
from voice.dial_in.codes import code_in
from voice.models import Call, Conference

ABSENT = 10**12
PHOTO = "photo.png"
SENT = "VE1"
"""The sandbox's id of a code."""


@pytest.fixture(autouse=True)
def _limits_start_afresh():
    cache.clear()


@pytest.fixture
def signed_in(issuer):
    """A client that sends the token of a person who has signed in before."""

    def signed_in(user):
        User.objects.filter(pk=user.pk).update(oidc_issuer=issuer.url, oidc_subject=user.email)
        client = Client(raise_request_exception=True)
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {issuer.token(user.email, sub=user.email)}")
        return client

    return signed_in


@pytest.fixture
def people(group, alice, bob, carol, dave) -> dict[str, User]:
    """The callers that we know by their column, and beside each another person of the same kind."""
    others = {name: person(name) for name in ("Olga", "Mike", "Ivy", "Zoe")}
    root = person("Root", is_staff=True)
    Ownership.objects.create(group=group, user=others["Olga"])
    Membership.objects.bulk_create(Membership(group=group, user=others[name]) for name in ("Olga", "Mike"))
    Invitation.objects.create(group=group, user=others["Ivy"])
    Participant.objects.create(group=group, user=others["Mike"])
    talk = Conference.objects.create(pk="CFmike", group_id=group.pk)
    Call.objects.create(sid="CAmike", user_id=others["Mike"].pk, group_id=group.pk, conference=talk, is_on=True)
    Call.objects.create(sid="CAnobody", group_id=group.pk, conference=talk, is_on=True, caller="+12025550100")
    Activity.objects.create(group=group, user=others["Mike"], activity="Mike said hello")
    make_link(group_id=group.pk, maker=others["Olga"], who="Olga", now=timezone.now(), max_uses=5, days=7)
    Ownership.objects.create(group=Group.objects.create(name="Neighbours"), user=others["Zoe"])
    callers = {"stranger": dave, "invitee": carol, "member": bob, "owner": alice, "staff": root}
    give_secrets([*callers.values(), *others.values()])
    User.objects.filter(pk=others["Mike"].pk).update(call_status=True)
    Export.objects.create(user=others["Mike"], made_at=timezone.now(), content=b"PK")
    for user in (alice, bob):
        code_in(group_id=group.pk, user_id=user.pk)  # which is made when somebody first looks
    return {**callers, **others}


def give_secrets(people: list[User]) -> None:
    """To each a phone number, a balance, a card and a Stripe id of their own, so that a leak can be told; and a code
    that is waited for."""
    for number, user in enumerate(people):
        user.phone_number, user.last4, user.stripe_id = 4915100000 + number, f"{7300 + number}", f"cus_{user.pk}"
        user.account_balance_micros = (1700 + number) * 1_010_000
    User.objects.bulk_update(people, ["phone_number", "last4", "stripe_id", "account_balance_micros"])
    VerifiedNumber.objects.bulk_create(
        VerifiedNumber(user=user, number=f"+{user.phone_number}", verified_at=timezone.now()) for user in people
    )
    soon = timezone.now() + timedelta(minutes=10)
    PendingVerification.objects.bulk_create(
        PendingVerification(user=user, number="+12025550143", channel="sms", sid=SENT, expires_at=soon)
        for user in people
    )
    accounts = Account.objects.bulk_create(Account(user=user) for user in people)
    LedgerEntry.objects.bulk_create(opening_balance(account) for account in accounts)
    SandboxObject.objects.bulk_create(thing for user in people for thing in card_on_file(user.stripe_id))


def opening_balance(account: Account) -> LedgerEntry:
    micros, reference = account.user.account_balance_micros, f"opening:{account.user.pk}"
    amounts = {"amount_micros": micros, "balance_after_micros": micros}
    return LedgerEntry(account=account, kind="opening_balance", reference=reference, memo="", **amounts)


def card_on_file(customer: str) -> list[SandboxObject]:
    card = SandboxObject(id=f"pm_sandbox_{customer}", customer=customer, data={"card": "visa"})
    return [SandboxObject(id=customer, customer=customer, data={"default": card.id}), card]


@pytest.fixture
def bound(people, issuer) -> dict[str, User]:
    """All of them have signed in before."""
    ours(User).update(oidc_issuer=issuer.url, oidc_subject=F("email"))
    return people


@pytest.fixture
def tokens(bound, issuer) -> dict[str, str | None]:
    """Each caller's token."""
    forger = replace(rsa_key("forger"), kid=issuer.keys[0].kid)
    alice = bound["owner"].email
    return {
        "nobody": None,
        "expired": issuer.token(alice, sub=alice, exp=int(issuer.claims()["iat"]) - HOUR),
        "forged": issuer.token(alice, sub=alice, key=forger),
        "unknown": issuer.token("nobody@example.com"),
        **{caller: issuer.token(user.email, sub=user.email) for caller, user in bound.items() if caller.islower()},
    }


@pytest.fixture
def names(bound, group):
    """What the placeholders of the matrix stand for, as a caller sees them."""

    def names(caller: str) -> dict[str, Any]:
        me = bound["owner"] if caller in ("nobody", "expired", "forged") else bound.get(caller)
        kinds = {"owner": "Olga", "member": "Mike", "invitee": "Ivy", "stranger": "Zoe"}
        ids = {"self": me.pk if me else ABSENT, "absent": ABSENT, **{kind: bound[kinds[kind]].pk for kind in kinds}}
        pays = {f"{kind}_pays": f'"userStripeId": "cus_{pk}"' for kind, pk in ids.items()}
        emails = {"my_email": me.email if me else "nobody@example.com", "email_of_member": bound["Mike"].email}
        link = group.invitation_links.get()
        links = {"link": link.pk, "token": token_of(link), "export": bound["Mike"].exports.get().pk}
        phone = {"number": '"phoneNumber": "+12025550143"', "code": verification().code_of(SENT)}
        return {
            "group": group.pk,
            **links,
            **phone,
            "name": PHOTO,
            "card": '"sourceId": "tok_amex"',
            **ids,
            **pays,
            **emails,
        }

    return names


@pytest.fixture
def _photo(settings, tmp_path: Path) -> None:
    """A stored image, and a place for another."""
    settings.MEDIA_ROOT = tmp_path
    (tmp_path / PHOTO).write_bytes(b"not looked into")


@pytest.fixture
def owner(signed_in, alice):
    return signed_in(alice)


@pytest.fixture
def member(signed_in, bob):
    return signed_in(bob)


@pytest.fixture
def invitee(signed_in, carol):
    return signed_in(carol)


@pytest.fixture
def stranger(signed_in, dave):
    return signed_in(dave)


@pytest.fixture
def path(group):
    return f"/api/groups/{group.pk}"


def says(client, path, user, activity="left the group"):
    """Posts an activity as a person: the status, and what is shown of the group's activities."""
    answer = client.post(f"{path}/activities", {"userId": user.pk, "activity": activity})
    return answer.status_code, [each["activity"] for each in answer.json()] if answer.status_code == 201 else None


def listed(answer):
    assert answer.status_code in (200, 201)
    return [each["displayName"] for each in answer.json()]
