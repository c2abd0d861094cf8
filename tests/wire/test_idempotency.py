"""A POST whose answer was lost is sent again under its key, and nothing is made twice."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from threading import Barrier

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from django.urls import get_resolver
from django.utils import timezone

from billing.cards import ensure_customer, replace_default
from billing.models import Card, TopUp
from groups.invitations.services import make_link
from groups.models import (
    Activity,
    Departure,
    Device,
    Group,
    Invitation,
    InvitationLink,
    Membership,
    SandboxNotification,
)
from tests.access.rows import all_rows, changed
from tests.conftest import Client
from tests.neighbours import ours
from tests.uploads.files import picture
from tests.voice.conferences.test_event_races import at_once
from uploads.models import Picture
from users.api import idempotent
from users.idempotency import LEASE, RequestInProgress, free, is_kept, keep, old_answers, reserve
from users.models import KeptAnswer, User
from users.sign_in.local_issuer import local_token

FOR_EVER = {"api/billing/addMoney", "api/billing/createCharge"}
"""What is kept of these under their key is the payment itself."""
NEED_NONE = {
    "api/billing/userStripeCharges": "reads",
    "api/billing/retrieveCustomerDefaultSource": "reads",
    "api/billing/groupTwilioCharges": "reads",
    "api/billing/stripeWebhook": "Stripe's events have ids",
    "api/live/tickets": "each is another one, and used once",
    "api/users/unsubscribe": "twice is once",
    "api/voice/makeCall": "Twilio's calls have ids",
    "api/voice/dialIn": "Twilio's calls have ids",
    "api/voice/dialIn/pin": "as above, and a wrong code counts each time",
    "api/voice/ringAnswer": "Twilio's calls have ids",
    "api/voice/keypad": "a key means what was read out",
    "api/voice/announcement": "reads",
    "api/voice/conferenceEvents": "Twilio's events have numbers",
    "api/voice/callEvents": "Twilio's events have ids",
    "api/voice/captionEvents": "Twilio's events have ids",
}
KEY = {"Idempotency-Key": "k1"}
TOKENS = ("tok_visa", "tok_mastercard")


def test_each_post_heeds_a_key_or_is_listed_as_one_that_needs_none():
    posts = {
        str(each.pattern): getattr(each.callback.cls, each.callback.actions["post"])
        for each in get_resolver().url_patterns
        if "post" in getattr(each.callback, "actions", {})
    }
    assert {route for route, action in posts.items() if not hasattr(action, "is_idempotent")} == {*NEED_NONE, *FOR_EVER}


@pytest.fixture
def signed_in(sign_in):
    def signed_in(user):
        client = Client()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {local_token(user.email)}")
        return client

    return signed_in


def upload(number):
    return {"image": SimpleUploadedFile(f"{number}.png", picture(color=number))}


WRITES = {
    "a group": ("/api/groups", lambda number, **_: {"name": f"New {number}"}, Group),
    "an activity": (
        "/api/groups/{group.pk}/activities",
        lambda number, alice, **_: {"userId": alice.pk, "activity": f"{number}"},
        Activity,
    ),
    "an invitation": (
        "/api/groups/{group.pk}/groupInvitees",
        lambda number, dave, erin, **_: {"userId": (dave, erin)[number].pk},
        Invitation,
    ),
    "a link": (
        "/api/groups/{group.pk}/invitationLinks",
        lambda number, **_: {"maxUses": number + 1},
        InvitationLink,
    ),
    "an acceptance": (
        "/api/groups/invitations/{token}/accept",
        lambda number, dave, erin, **_: {"userId": (dave, erin)[number].pk},
        Membership,
    ),
    "a person": ("/api/users", lambda number, **_: {"email": f"new{number}@example.com"}, User),
    "a picture": ("/api/upload", lambda number, **_: upload(number), Picture),
    "a device": (
        "/api/voice/registerBinding",
        lambda number, alice, group, **_: {
            "identity": f"u_{alice.pk}",
            "Address": f"{number}" * 64,
            "tags": [group.pk],
        },
        Device,
    ),
    "a notification": (
        "/api/voice/sendNotification",
        lambda number, group, **_: {"groupId": group.pk, "message": f"{number}"},
        SandboxNotification,
    ),
    "a card": (
        "/api/billing/attachSourceToCustomer",
        lambda number, alice, **_: {"userStripeId": alice.stripe_id, "sourceId": TOKENS[number]},
        Card,
    ),
    "a card instead": (
        "/api/billing/updateCreditCard",
        lambda number, alice, **_: {"userId": alice.pk, "sourceId": TOKENS[number]},
        Card,
    ),
    "a card that pays": (
        "/api/billing/updateDefaultSource",
        lambda number, alice, **_: {"userStripeId": alice.stripe_id, "sourceId": TOKENS[number]},
        Card,
    ),
}
PAYMENTS = {
    "a payment": (
        "/api/billing/addMoney",
        lambda number, alice, **_: {"userId": alice.pk, "amountToAdd": 20 + number},
        TopUp,
    ),
    "a charge": (
        "/api/billing/createCharge",
        lambda number, alice, **_: {"userStripeId": alice.stripe_id, "amountToAdd": 2000 + number},
        TopUp,
    ),
}


@pytest.fixture
def cast(alice, dave, group):
    Device.objects.create(user=alice, identity=f"u_{alice.pk}", address="a" * 64, binding_type="apn")
    replace_default(user=alice, source="tok_visa")
    alice.refresh_from_db()
    erin = User.objects.create(email="e@example.com")
    _, token = make_link(group_id=group.pk, maker=None, who="", now=timezone.now(), max_uses=9, days=1)
    return {"alice": alice, "dave": dave, "group": group, "erin": erin, "token": token}


@pytest.fixture
def sender(cast, api, settings, tmp_path):
    """Of one kind of POST: it sends one of a number, under a key. With it what it makes."""
    settings.MEDIA_ROOT = tmp_path
    return lambda kind: sender_of(kind, cast, api)


@pytest.fixture(params=WRITES)
def write(request, sender):
    return sender(request.param)


@pytest.fixture(params=[*WRITES, *PAYMENTS])
def write_or_payment(request, sender):
    return sender(request.param)


def sender_of(kind, cast, api):
    path, body, model = {**WRITES, **PAYMENTS}[kind]

    def send(number=0, key="k1", client=api):
        form = {"format": "multipart"} if kind == "a picture" else {}
        return client.post(
            path.format(**cast), body(number, **cast), headers={"Idempotency-Key": key} if key else {}, **form
        )

    send.model = model
    return send


@pytest.mark.django_db
def test_what_is_sent_again_is_answered_again_and_makes_nothing(write_or_payment):
    write = write_or_payment
    first, before = write(), all_rows()
    again = write()
    assert first.status_code in (200, 201)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert changed(before, all_rows()) == []


@pytest.mark.django_db
def test_another_body_is_refused_and_another_key_is_another_request(write_or_payment):
    write = write_or_payment
    write()
    count, before = write.model.objects.count(), all_rows()
    refused = write(1)
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")
    assert changed(before, all_rows()) == []
    assert write(1, key="k2").status_code in (200, 201)
    assert write.model.objects.count() == count + 1


@pytest.fixture
def meanwhile(monkeypatch):
    """Asks once more when the next request has its key and is at work; what was answered."""

    def meanwhile(ask):
        answers = []

        def at_work(name):
            monkeypatch.undo()
            answers.append(ask())

        monkeypatch.setattr(idempotent, "failpoint", at_work)
        return answers

    return meanwhile


@pytest.mark.django_db
def test_while_the_first_is_at_work_the_second_is_told_to_wait(write, meanwhile):
    answers = meanwhile(write)
    assert write().status_code in (200, 201)
    assert [(each.status_code, each.json()["code"]) for each in answers] == [(409, "request_in_progress")]
    assert answers[0]["Retry-After"]


@pytest.mark.django_db
def test_a_worker_that_dies_keeps_the_key_for_a_minute(write):
    write()
    count = ours(KeptAnswer).update(status=None, made=None, until=timezone.now() + timedelta(seconds=5))
    assert (count, write().status_code) == (1, 409)
    ours(KeptAnswer).update(until=timezone.now())
    assert write().status_code in (200, 201)
    assert ours(KeptAnswer).get().status


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["a card", "a card instead", "a card that pays"])
def test_of_a_token_that_a_dying_worker_used_up_the_same_card_comes(
    sender, stripe_payments, stripe_double, alice, kind
):
    """Stripe heeds the key too: a token makes one card, and no second one could be made of it."""
    User.objects.filter(pk=alice.pk).update(stripe_id=None)
    alice.stripe_id = None
    alice.stripe_id = ensure_customer(alice)
    first = sender(kind)()
    ours(KeptAnswer).update(status=None, made=None, until=timezone.now())
    assert sender(kind)().content == first.content


@pytest.mark.django_db
def test_a_key_that_a_dying_worker_left_is_taken_over_and_no_other(api, alice):
    def make(key):
        body = {"name": key, "userId": alice.pk}
        return api.post("/api/groups", body, headers={"Idempotency-Key": key}).json()["id"]

    make("key-that-was-left")
    left = ours(KeptAnswer).get().pk
    other = make("key-of-another-group")
    KeptAnswer.objects.filter(pk=left).update(status=None, made=None, until=timezone.now())
    make("key-that-was-left")
    assert make("key-of-another-group") == other


@pytest.mark.django_db
def test_after_a_card_that_was_refused_another_may_come_under_its_key(api, stripe_payments, alice):
    customer = ensure_customer(alice)
    body = {"userStripeId": customer, "sourceId": "tok_chargeDeclined"}
    assert api.post("/api/billing/attachSourceToCustomer", body, headers=KEY).status_code == 402
    answer = api.post("/api/billing/attachSourceToCustomer", {**body, "sourceId": "tok_visa"}, headers=KEY)
    assert (answer.status_code, answer.json()["last4"]) == (200, "4242")


@pytest.mark.django_db
def test_who_took_longer_than_their_minute_keeps_nothing_in_place_of_the_next_ones_answer(api, meanwhile):
    def take_over():
        ours(KeptAnswer).update(until=timezone.now())
        return api.post("/api/groups", {"name": "New"}, headers=KEY).json()["id"]

    answers = meanwhile(take_over)
    late, again = (api.post("/api/groups", {"name": "New"}, headers=KEY).json()["id"] for _ in range(2))
    assert again == answers[0] != late


@pytest.mark.django_db
def test_who_took_longer_than_their_minute_and_failed_takes_nothing_of_the_next_ones_away():
    now, later = timezone.now(), timezone.now() + LEASE + timedelta(seconds=1)
    late = reserve("k", body="b", user_id=None, now=now)
    keep(reserve("k", body="b", user_id=None, now=later), status=201, made={}, user_id=None, now=later)
    free(late)
    assert is_kept("k", now=later)


@pytest.mark.django_db
def test_two_keys_of_the_very_same_moment_are_two():
    now, later = timezone.now(), timezone.now() + LEASE + timedelta(seconds=1)
    first, second, third = (reserve(name, body=name, user_id=None, now=now) for name in "abc")
    keep(first, status=201, made={}, user_id=None, now=now)
    free(second)
    assert [is_kept(name, now=now) for name in "abc"] == [True, False, False]
    assert ours(KeptAnswer).filter(pk="c").exists()
    reserve("c", body="c", user_id=None, now=later)
    keep(third, status=201, made={}, user_id=None, now=later)
    assert not is_kept("c", now=later)


@pytest.mark.django_db
def test_two_keys_that_were_left_at_the_very_same_moment_are_two():
    now, later = timezone.now(), timezone.now() + LEASE + timedelta(seconds=1)
    for name in "ab":
        reserve(name, body=name, user_id=None, now=now)
    reserve("a", body="a", user_id=None, now=later)
    assert ours(KeptAnswer).get(pk="b").until == now + LEASE


@pytest.mark.django_db
def test_what_is_older_than_a_day_is_kept_no_more():
    now = timezone.now()
    keep(reserve("k", body="b", user_id=None, now=now), status=201, made={}, user_id=None, now=now)
    assert [is_kept("k", now=now + timedelta(hours=hours)) for hours in (23, 25)] == [True, False]


@pytest.mark.django_db(transaction=True)
def test_of_two_who_take_an_old_key_over_at_once_the_second_is_told_to_wait(on_postgresql):
    """And is not given yesterday's answer."""
    then, now = timezone.now() - timedelta(days=2), timezone.now()
    keep(reserve("k", body="b", user_id=None, now=then), status=201, made={}, user_id=None, now=then)
    take_over = partial(reserve, "k", body="b", user_id=None, now=now)

    def second():
        with pytest.raises(RequestInProgress):
            take_over()

    at_once(take_over, second)


@pytest.mark.django_db
def test_what_staff_did_for_somebody_goes_with_them_too(signed_in, alice, stripe_payments):
    root = User.objects.create_superuser("root@example.com", display_name="Root")
    body = {"userId": alice.pk, "sourceId": "tok_visa"}
    assert signed_in(root).post("/api/billing/updateCreditCard", body, headers=KEY).status_code == 200
    assert ours(KeptAnswer).get().made
    signed_in(root).delete(f"/api/users/{alice.pk}")
    assert not ours(KeptAnswer).exists()


@pytest.mark.django_db
def test_after_a_day_the_key_is_new(write):
    write()
    assert not old_answers(timezone.now() + timedelta(hours=23)).exists()
    ours(KeptAnswer).update(until=timezone.now())
    assert write(1).status_code in (200, 201)
    assert old_answers(timezone.now() + timedelta(hours=25)).count() == 1


@pytest.mark.django_db
def test_after_a_day_nobody_is_answered_yesterdays_while_the_new_is_at_work(write, meanwhile):
    write()
    ours(KeptAnswer).update(until=timezone.now())
    answers = meanwhile(lambda: write(1))
    assert write(1).status_code in (200, 201)
    assert [(each.status_code, each.json()["code"]) for each in answers] == [(409, "request_in_progress")]


@pytest.mark.django_db
def test_a_refusal_is_not_kept(api, alice, group):
    path = f"/api/groups/{group.pk}/activities"
    assert api.post(path, {"userId": alice.pk, "activity": ""}, headers=KEY).status_code == 400
    assert api.post(path, {"userId": 999_999, "activity": "a"}, headers=KEY).status_code == 404
    assert not ours(KeptAnswer).exists()
    assert api.post(path, {"userId": alice.pk, "activity": "a"}, headers=KEY).status_code == 201


@pytest.mark.django_db
@pytest.mark.parametrize("key", [" ", "k" * 256, "with space", "é", ""])
def test_a_key_that_is_none_is_refused(api, key):
    answer = api.post("/api/groups", {"name": "New"}, headers={"Idempotency-Key": key})
    assert answer.status_code == 400
    assert not ours(Group).exists()


@pytest.mark.django_db
def test_a_key_is_ones_own_and_the_addresss(signed_in, alice, bob, group):
    for user in (alice, bob):
        assert signed_in(user).post("/api/groups", {"name": "New"}, headers=KEY).status_code == 201
    path = f"/api/groups/{group.pk}/activities"
    assert signed_in(bob).post(path, {"userId": bob.pk, "activity": "a"}, headers=KEY).status_code == 201
    assert ours(Group).filter(name="New").count() == 2


@pytest.mark.django_db
def test_a_key_is_an_addresss_in_open_mode(api):
    for address in ("192.0.2.1", "192.0.2.2"):
        assert api.post("/api/groups", {"name": "New"}, headers=KEY, REMOTE_ADDR=address).status_code == 201
    assert ours(Group).count() == 2


@pytest.mark.django_db
def test_a_final_slash_and_the_order_of_a_body_make_no_other_request(api):
    first = api.post("/api/groups", {"name": "New", "callStatus": False}, headers=KEY)
    assert api.post("/api/groups/", {"callStatus": False, "name": "New"}, headers=KEY).content == first.content
    assert ours(Group).count() == 1


@pytest.mark.django_db
def test_what_was_made_and_is_gone_is_404_and_is_not_made_again(api):
    api.post("/api/groups", {"name": "New"}, headers=KEY)
    ours(Group).all().delete()
    assert api.post("/api/groups", {"name": "New"}, headers=KEY).status_code == 404
    assert not ours(Group).exists()


@pytest.mark.django_db
def test_what_one_has_made_and_left_is_404_for_oneself_and_not_made_again(signed_in, alice, bob):
    made = signed_in(alice).post("/api/groups", {"name": "New"}, headers=KEY).json()
    assert signed_in(alice).post("/api/groups", {"name": "New"}, headers=KEY).json() == made
    group = Group.objects.get(pk=made["id"])
    group.ownerships.update(user=bob)
    group.memberships.update(user=bob)
    assert signed_in(alice).post("/api/groups", {"name": "New"}, headers=KEY).status_code == 404
    assert ours(Group).count() == 1


@pytest.mark.django_db
def test_who_may_no_more_is_told_so_and_not_what_was_answered(signed_in, alice, bob, dave, group):
    path, body = f"/api/groups/{group.pk}/groupInvitees", {"userId": dave.pk}
    assert signed_in(alice).post(path, body, headers=KEY).status_code == 201
    group.ownerships.all().delete()
    assert signed_in(alice).post(path, body, headers=KEY).status_code == 403


@pytest.mark.django_db
def test_the_last_word_of_who_left_is_answered_again(signed_in, bob, group):
    client, path = signed_in(bob), f"/api/groups/{group.pk}"
    client.delete(f"{path}/groupMembers/{bob.pk}")
    body = {"userId": bob.pk, "activity": "left"}
    first = client.post(f"{path}/activities", body, headers=KEY)
    assert (first.status_code, len(first.json())) == (201, 1)
    assert client.post(f"{path}/activities", body, headers=KEY).content == first.content
    assert client.post(f"{path}/activities", body, headers={"Idempotency-Key": "k2"}).status_code == 404
    assert client.post(f"{path}/activities", {**body, "activity": "more"}, headers=KEY).status_code == 422
    assert (ours(Activity).count(), ours(Departure).count()) == (1, 1)
    ours(KeptAnswer).update(status=None)  # as while the first is at work
    assert client.post(f"{path}/activities", body, headers=KEY).status_code == 404


@pytest.mark.django_db
def test_it_goes_with_its_person_and_names_nobody(signed_in, api, alice):
    signed_in(alice).post("/api/groups", {"name": "Alice's"}, headers={"Idempotency-Key": "alice@example.com"})
    kept = str(all_rows()["keptAnswers"])
    assert all(word not in kept for word in ("Alice", "alice"))
    alice.delete()
    assert not ours(KeptAnswer).exists()


@pytest.mark.django_db
def test_what_somebody_signed_up_under_goes_with_them(api):
    made = api.post("/api/users", {"email": "new@example.com"}, headers=KEY).json()
    User.objects.get(pk=made["id"]).delete()
    assert not ours(KeptAnswer).exists()


@pytest.mark.django_db
def test_work_and_answer_are_kept_together_or_not_at_all(api, alice, monkeypatch):
    def die(*args, **kwargs):
        raise RuntimeError

    monkeypatch.setattr(idempotent, "keep", die)
    client = Client(raise_request_exception=False)
    assert client.post("/api/groups", {"name": "New"}, headers=KEY).status_code == 500
    assert not ours(Group).exists()
    assert not ours(KeptAnswer).exists()


@pytest.mark.django_db(transaction=True)
def test_of_eight_at_once_one_makes_it(on_postgresql, write_or_payment):
    write = write_or_payment
    ready, write_before = Barrier(8), write.model.objects.count()

    def send(_):
        ready.wait()
        try:
            return write(client=Client()).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        statuses = set(pool.map(send, range(8)))
    assert statuses <= {200, 201, 409}
    assert statuses & {200, 201}
    assert write.model.objects.count() == write_before + 1
    assert write().status_code in (200, 201)
    assert write.model.objects.count() == write_before + 1
