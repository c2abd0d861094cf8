"""An invitation that is to reach an address or a number goes there by a job."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from core.jobs.models import Job
from groups.invitations import sending
from groups.models import InvitationLink
from tests.doubles.mail_server import part
from tests.groups.invitations.conftest import address
from tests.neighbours import ours
from users.models import NotificationChoices

pytestmark = pytest.mark.django_db
GRANDMA = "grandma@example.com"
NUMBER = "+12025550123"


@pytest.mark.parametrize(
    ("sent", "why"),
    [({"email": GRANDMA}, "EMAIL_HOST"), ({"phoneNumber": NUMBER}, "SMS=on")],
)
def test_where_nothing_can_be_sent_it_is_said_and_nothing_made(owner, path, settings, sent, why):
    settings.MAIL = {}
    answer = owner.post(path, sent)
    assert (answer.status_code, answer.json()["code"]) == (503, "not_configured")
    assert why in answer.json()["detail"]
    assert not ours(InvitationLink).exists()
    assert not Job.objects.exists()


@pytest.fixture
def outbox(mail):
    """What the mail server has got."""
    return mail.received


def body(email):
    return part(email, "plain")


@pytest.fixture
def invite(owner, path):
    return lambda **sent: owner.post(path, sent or {"email": GRANDMA})


def test_it_is_sent_there_once_with_the_link(invite, outbox, run_jobs):
    made = invite(email="Grandma@Example.com", phoneNumber=None).json()
    assert made["sentTo"] == "Grandma@Example.com"
    assert (run_jobs(), run_jobs()) == (["send_invitation"], [])
    (email,) = outbox
    assert (email["To"], email["Subject"]) == ("Grandma@Example.com", "Alice invites you to the group Family")
    for kind in ("plain", "html"):
        assert made["url"] in part(email, kind)
    assert email["List-Unsubscribe"] is None


def test_who_is_here_already_may_end_e_mail_by_one_click(invite, outbox, run_jobs, dave):
    invite(email=dave.email)
    run_jobs()
    assert "/api/users/unsubscribe?token=" in outbox[0]["List-Unsubscribe"]


def test_who_has_switched_e_mail_off_gets_none_and_nobody_hears_of_it(invite, outbox, run_jobs, dave):
    NotificationChoices.objects.create(user=dave, email=False)
    assert invite(email=dave.email.upper()).status_code == 201
    run_jobs()
    assert outbox == []


@pytest.mark.parametrize("who", ["somebody else has", "they have switched something else"])
def test_one_is_sent_though_somebody_switched_something_off(invite, outbox, run_jobs, dave, bob, who):
    NotificationChoices.objects.create(user=bob, email=False)
    if who == "they have switched something else":
        NotificationChoices.objects.create(user=dave, push=False)
    invite(email=dave.email)
    run_jobs()
    assert [email["To"] for email in outbox] == [dave.email]


def test_an_address_that_is_nobodys_is_not_tried_again(invite, mail, run_jobs):
    mail.fail_next("RCPT", "550 5.1.1 No such user")
    invite()
    assert (run_jobs(), run_jobs()) == (["send_invitation"], [])
    assert (mail.received, ours(InvitationLink).get().sent_at) == ([], None)


def test_each_is_sent_its_own_link_whatever_became_of_another(invite, mail, run_jobs):
    mail.fail_next("RCPT", "550 5.1.1 No such user")
    lost, other = (invite(email=f"{name}@example.com").json() for name in ("grandma", "grandpa"))
    run_jobs()
    (email,) = mail.received
    assert (email["To"], other["url"] in body(email)) == ("grandpa@example.com", True)
    sent = dict(ours(InvitationLink).values_list("pk", "sent_at"))
    assert (sent[lost["id"]], sent[other["id"]] is None) == (None, False)


def test_what_the_mail_server_cannot_take_now_is_tried_again(invite, mail, run_jobs):
    mail.fail_next("RCPT", "450 4.2.0 Greylisted")
    invite()
    run_jobs(failing=True)
    Job.objects.update(due_at=timezone.now())
    run_jobs()
    assert len(mail.received) == 1


def test_the_job_holds_an_id_and_no_token(invite, outbox):
    made = invite().json()
    job = Job.objects.values().get()
    assert json.loads(job["arguments"]) == [[made["id"]], {}]
    assert made["token"] not in str(job)


def test_what_was_sent_is_not_sent_by_the_job_again(invite, outbox, run_jobs):
    made = invite().json()
    run_jobs()
    sending.send_invitation.enqueue(made["id"])
    run_jobs()
    assert len(outbox) == 1


@pytest.mark.parametrize("gone", ["deleted", "over", "used up", "no address", "the address is a deleted person's"])
def test_what_leads_nowhere_by_then_is_not_sent(invite, outbox, run_jobs, gone, dave):
    dave.email = GRANDMA
    dave.save()
    invite()
    links = ours(InvitationLink).all()
    {
        "deleted": links.delete,
        "over": lambda: links.update(expires_at=timezone.now() - timedelta(seconds=1)),
        "used up": lambda: links.update(uses=1),
        "no address": lambda: links.update(sent_to=None),
        "the address is a deleted person's": dave.delete,
    }[gone]()
    run_jobs()
    assert outbox == []


def test_a_secret_of_before_still_makes_the_token(invite, outbox, run_jobs, settings, stranger):
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    invite()
    settings.SECRET_KEY = "another one, and long enough that nobody complains of it 0123456789"
    run_jobs()
    token = body(outbox[0]).partition("/join/")[2].partition("\n")[0].strip()
    assert stranger.get(address(token)).status_code == 200


def test_where_the_secret_is_lost_the_job_says_what_to_do(invite, outbox, run_jobs, settings):
    invite()
    settings.SECRET_KEY = "another one, and long enough that nobody complains of it 0123456789"
    run_jobs(failing=True)
    assert "SECRET_KEY_FALLBACKS" in Job.objects.get().fault
    assert outbox == []


def test_a_repeated_request_is_answered_the_same_token_and_sends_nothing_more(owner, path, outbox, run_jobs):
    first, again = (owner.post(path, {"email": GRANDMA}, headers={"Idempotency-Key": "k1"}) for _ in range(2))
    assert (first.status_code, first.content) == (again.status_code, again.content)
    run_jobs()
    assert len(outbox) == 1


def test_a_name_is_made_legible_and_short(invite, outbox, run_jobs, alice):
    alice.display_name = "\u202eecilA\n" + "x" * 100
    alice.save()
    invite()
    run_jobs()
    assert outbox[0]["Subject"].strip() == f"ecilA {'x' * 33}… invites you to the group Family"


@pytest.mark.parametrize(
    ("inviter", "called", "says"),
    [
        ("Alice", "Prize at www.evil.example", "Alice invites you to a group"),
        ("Your bank https://evil.example", "Family", "You are invited to the group Family"),
        ("\u200b", "free.gift", "You are invited to a group"),
    ],
)
def test_a_name_that_would_become_a_link_is_left_out(invite, outbox, run_jobs, alice, group, inviter, called, says):
    """A letter to a stranger from us must not take them to where its sender likes."""
    alice.display_name, group.name = inviter, called
    alice.save()
    group.save()
    invite()
    run_jobs()
    assert outbox[0]["Subject"] == says
    for kind in ("plain", "html"):
        assert f"{says}." in part(outbox[0], kind)
        assert "evil" not in part(outbox[0], kind)


def test_one_address_is_invited_so_often_by_whomever(invite, outbox, settings):
    settings.THROTTLE_INVITED = (2, 3600)
    for email in ("grandma@example.com", "GRANDMA@EXAMPLE.COM"):
        assert invite(email=email).status_code == 201
    assert invite(email="Grandma@example.com").status_code == 429
    assert invite(email="grandpa@example.com").status_code == 201


def test_one_person_sends_so_many(invite, owner, path, outbox, settings):
    settings.THROTTLE_INVITATION_MESSAGES = (1, 3600)
    assert invite().status_code == 201
    assert invite(email="grandpa@example.com").status_code == 429
    assert owner.post(path, {}).status_code == 201


def test_it_is_sent_to_a_number_once_with_the_link(invite, twilio_sms, twilio_double, run_jobs):
    made = invite(phoneNumber=NUMBER).json()
    assert made["sentTo"] == NUMBER
    assert (run_jobs(), run_jobs()) == (["send_invitation"], [])
    (message,) = twilio_double.messages
    assert message["to"] == NUMBER
    assert message["body"].startswith("Alice invites you to the group Family. To join, open this link by ")
    assert message["body"].endswith(made["url"])


def test_a_number_that_has_answered_stop_is_not_tried_again(invite, twilio_sms, twilio_double, run_jobs):
    twilio_double.stopped.add(NUMBER)
    invite(phoneNumber=NUMBER)
    assert (run_jobs(), run_jobs()) == (["send_invitation"], [])
    assert Job.objects.get(task__endswith="send_invitation").result == json.dumps(
        "This telephone has answered STOP, and gets no more text messages until it sends START."
    )
    assert ours(InvitationLink).get().sent_at is None
