"""What people are told: each thing once, by the ways they chose, and nobody whom it no longer concerns."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.core.management import call_command
from django.db import connections
from django.utils import timezone

from core.jobs.models import Job
from core.jobs.worker import do_all
from groups.models import Group, Invitation, Membership, Push, SandboxNotification
from groups.notifications.models import Notice, SandboxEmail, SandboxMessage
from groups.notifications.notices.delivering import deliver
from tests.admin.conftest import browser, read_form, root  # noqa: F401  # fixtures
from tests.conftest import person
from tests.doubles.mail_server import MailFault, part
from tests.doubles.server import Fault
from tests.neighbours import ours
from users.models import User, VerifiedNumber
from users.notification_choices import choose


@pytest.fixture
def invite(api, group):
    def invite(user, group=group):
        return api.post(f"/api/groups/{group.pk}/groupInvitees", {"userId": user.pk})

    return invite


@pytest.fixture
def phone(api):
    def phone(user):
        api.post("/api/voice/registerBinding", {"identity": f"u_{user.pk}", "address": f"phone of {user.pk}"})

    return phone


def told():
    return sorted(Notice.objects.filter(state="told").values_list("user__display_name", "kind", "way"))


def why_not(way):
    return Notice.objects.get(way=way).why


def test_who_is_invited_is_told_by_push_and_email(invite, phone, dave, run_jobs):
    phone(dave)
    assert invite(dave).status_code == 201
    run_jobs()
    assert told() == [("Dave", "invited", "email"), ("Dave", "invited", "push")]
    (email, push) = (ours(SandboxEmail).get(), SandboxNotification.objects.get())
    assert (email.to, email.subject) == ("dave@example.com", "Somebody invited you to Family")
    assert push.body == "Somebody invited you to talk in the group Family."
    assert push.identities == [f"u_{dave.pk}"]


def test_by_whom_is_said_where_somebody_is_signed_in(api, issuer, group, alice, dave, run_jobs):
    token = issuer.token(alice.email)
    body, headers = {"userId": dave.pk}, {"Authorization": f"Bearer {token}"}
    assert api.post(f"/api/groups/{group.pk}/groupInvitees", body, headers=headers).status_code == 201
    run_jobs()
    assert ours(SandboxEmail).get().subject == "Alice invited you to Family"


def test_who_has_no_phone_is_told_by_email_alone(invite, dave, run_jobs):
    invite(dave)
    run_jobs()
    assert told() == [("Dave", "invited", "email")]
    assert why_not("push") == "They have no device."


def test_whoever_is_invited_already_is_not_told_again(invite, carol, dave, run_jobs):
    assert [invite(each).status_code for each in (carol, dave, dave)] == [200, 201, 200]
    run_jobs()
    run_jobs()
    assert told() == [("Dave", "invited", "email")]


def test_who_is_invited_again_and_again_hears_of_it_once_a_day(api, invite, group, dave, run_jobs):
    for _ in range(3):
        invite(dave)
        run_jobs()
        api.delete(f"/api/groups/{group.pk}/groupInvitees/{dave.pk}")
    assert len(told()) == 1
    ours(Notice).update(created_at=timezone.now() - timedelta(days=1, minutes=1))
    invite(dave)
    run_jobs()
    assert len(told()) == 2


LEAVE = {
    "declined": lambda api, group, dave: api.delete(f"/api/groups/{group.pk}/groupInvitees/{dave.pk}"),
    "accepted": lambda api, group, dave: api.post(f"/api/groups/{group.pk}/groupMembers", {"userId": dave.pk}),
    "the group is deleted": lambda api, group, _: api.delete(f"/api/groups/{group.pk}"),
    "the person is deleted": lambda api, _, dave: api.delete(f"/api/users/{dave.pk}"),
    "disabled": lambda *each: User.objects.filter(pk=each[-1].pk).update(is_active=False),
}


@pytest.mark.parametrize("leave", LEAVE.values(), ids=LEAVE)
def test_whom_it_no_longer_concerns_is_not_told(api, invite, phone, group, dave, run_jobs, leave):
    phone(dave)
    invite(dave)
    leave(api, group, dave)
    run_jobs()
    assert told() == []
    assert not ours(SandboxEmail).exists()
    assert not SandboxNotification.objects.exists()


@pytest.mark.parametrize(
    ("choices", "ways"),
    [({"email": False}, ["push"]), ({"push": False}, ["email"]), ({"email": False, "push": False}, [])],
)
def test_what_somebody_chose_is_heeded_at_the_last_moment(invite, phone, dave, run_jobs, choices, ways):
    phone(dave)
    invite(dave)
    choose(user_id=dave.pk, **choices)
    run_jobs()
    assert [way for _, _, way in told()] == ways


def test_who_leaves_between_two_tries_of_their_phone_is_not_told(
    api, invite, phone, group, dave, run_jobs, settings, twilio_telephony, twilio_double
):
    phone(dave)
    invite(dave)
    twilio_double.fail_next(*[Fault.SERVER_ERROR] * 4)
    do_all()
    LEAVE["declined"](api, group, dave)
    Job.objects.filter(state="waiting").update(due_at=timezone.now())
    run_jobs()
    assert ours(Push).get().told == 0
    assert told() == [("Dave", "invited", "email")]
    assert why_not("push") == "None of their devices could be told."


def test_a_text_message_is_for_who_has_turned_them_on_and_has_a_number(invite, dave, run_jobs, sandbox_sms):
    erin = person("Erin")
    for number, user in enumerate((dave, erin)):
        VerifiedNumber.objects.create(user=user, number=f"+1202555012{number}", verified_at=timezone.now())
    choose(user_id=dave.pk, sms=True)
    invite(dave)
    invite(erin)
    run_jobs()
    assert [each for each in told() if each[2] == "sms"] == [("Dave", "invited", "sms")]
    assert [each.to for each in ours(SandboxMessage).all()] == ["+12025550120"]


def test_where_text_messages_are_off_none_is_stored(invite, dave, run_jobs):
    choose(user_id=dave.pk, sms=True)
    invite(dave)
    assert set(ours(Notice).values_list("way", flat=True)) == {"push", "email"}


def test_a_way_that_fails_repeats_no_other(invite, phone, dave, run_jobs, mail):
    phone(dave)
    mail.fail_next("RCPT", "450 4.2.0 Greylisted")
    invite(dave)
    do_all()
    assert told() == [("Dave", "invited", "push")]
    Job.objects.update(due_at=timezone.now())
    run_jobs()
    assert told() == [("Dave", "invited", "email"), ("Dave", "invited", "push")]
    assert (SandboxNotification.objects.count(), len(mail.received)) == (1, 1)


def test_an_address_that_is_refused_for_good_is_not_tried_again(invite, dave, run_jobs, mail):
    mail.fail_next("RCPT", "550 5.1.1 No such user")
    invite(dave)
    run_jobs()
    assert why_not("email") == "The mail server refuses their address."
    assert not Job.objects.unfinished().exists()


def test_what_was_told_is_told_once_however_often_its_job_runs(invite, dave, run_jobs, mail):
    invite(dave)
    run_jobs()
    for notice in ours(Notice).all():
        deliver.enqueue(notice.pk)
        deliver.enqueue(notice.pk)
    run_jobs()
    assert len(mail.received) == 1


def test_where_the_servers_answer_was_lost_it_comes_again_under_the_same_id(invite, dave, run_jobs, mail):
    mail.fail_next("DATA", MailFault.LOSE_ANSWER)
    invite(dave)
    do_all()
    Job.objects.update(due_at=timezone.now())
    run_jobs()
    assert len({sent["Message-ID"] for sent in mail.received}) == 1


def test_a_day_later_nobody_wants_to_hear_it(invite, dave, run_jobs):
    invite(dave)
    ours(Notice).update(created_at=timezone.now() - timedelta(days=1, minutes=1))
    run_jobs()
    assert told() == []


def test_where_no_way_is_on_nothing_is_stored(invite, dave, settings):
    settings.MAIL, settings.NOTIFICATIONS = {}, []
    assert invite(dave).status_code == 201
    assert not ours(Notice).exists()


def test_a_way_that_was_switched_off_meanwhile_is_no_fault(invite, dave, settings, run_jobs):
    invite(dave)
    settings.MAIL, settings.NOTIFICATIONS = {}, []
    run_jobs()
    assert set(ours(Notice).values_list("why", flat=True)) == {"This way is switched off here."}


def test_what_is_undone_tells_nobody(group, dave, api, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError

    monkeypatch.setattr("groups.services.Departure.objects.filter", fail)
    with pytest.raises(RuntimeError):
        api.post(f"/api/groups/{group.pk}/groupInvitees", {"userId": dave.pk})
    assert [model.objects.count() for model in (Notice, Job)] == [0, 0]
    assert not Invitation.objects.filter(user=dave).exists()


def test_an_address_in_the_database_that_is_none_reaches_no_mail_server(invite, dave, run_jobs, mail):
    User.objects.filter(pk=dave.pk).update(email="dave@example.com\nBcc: all@example.com")
    invite(dave)
    run_jobs()
    assert mail.conversations == 0
    assert why_not("email") == "The mail server refuses their address."


NAMES = {
    "https://evil.example/pay": "a group",
    "evil.com": "a group",
    "Win at www.evil": "a group",
    "me@evil.example": "a group",
    "\u202e \u200b": "a group",
    "Fam\nily\r\nBcc: x": "Fam ily Bcc: x",
    "<b>Family</b> & co": "<b>Family</b> & co",
    "x" * 128: "x" * 39 + "…",
    "J.R. and M.": "J.R. and M.",
    "Rodzina Ząb": "Rodzina Ząb",
}


@pytest.mark.parametrize(("name", "shown"), NAMES.items())
def test_a_name_makes_no_link_no_header_and_no_markup(invite, group, dave, run_jobs, mail, name, shown):
    Group.objects.filter(pk=group.pk).update(name=name)
    invite(dave)
    run_jobs()
    (sent,) = mail.received
    assert sent["Subject"] == f"Somebody invited you to {shown}"
    assert shown in part(sent, "plain")
    assert "<b>" not in part(sent, "html")
    assert "Bcc" not in sent


def test_the_letters_button_opens_the_client_and_its_link_ends_letters(invite, dave, run_jobs, mail, settings, api):
    settings.CLIENT_URL = "https://app.example.com/chat"
    invite(dave)
    run_jobs()
    (sent,) = mail.received
    html, text = part(sent, "html"), part(sent, "plain")
    assert 'href="https://app.example.com/chat"' in html
    assert "See the invitation: https://app.example.com/chat" in text
    end = sent["List-Unsubscribe"].strip("<>")
    assert end in text
    assert f'href="{end}"' in html
    assert api.post(end.removeprefix(settings.PUBLIC_URL)).status_code == 200
    invite(dave, Group.objects.create(name="Other"))
    run_jobs()
    assert len(mail.received) == 1


def test_no_letter_fetches_anything_or_runs_anything(invite, dave, run_jobs, mail):
    invite(dave)
    run_jobs()
    html = part(mail.received[0], "html")
    assert not [word for word in ("<img", "<script", "<link", "url(", "src=") if word in html]
    assert '<html lang="en">' in html


def test_notices_go_with_the_person_and_with_the_group(invite, group, dave):
    invite(dave)
    erin = person("Erin")
    invite(erin)
    erin.delete()
    assert {each.user_id for each in ours(Notice).all()} == {dave.pk}
    group.delete()
    assert not ours(Notice).exists()


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_tell_each_thing_once(on_postgresql, api, group, mail):
    people = [person(f"Guest {n}".replace(" ", "")) for n in range(8)]
    for each in people:
        api.post(f"/api/groups/{group.pk}/groupInvitees", {"userId": each.pk})
    barrier = Barrier(2)

    def work():
        barrier.wait()
        try:
            do_all()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        for each in [pool.submit(work) for _ in range(2)]:
            each.result()
    do_all()
    assert sorted(to for recipients in mail.recipients for to in recipients) == sorted(each.email for each in people)


@pytest.mark.alone
def test_what_was_told_is_forgotten_after_90_days(invite, dave, run_jobs):
    invite(dave)
    run_jobs()
    ours(Notice).update(created_at=timezone.now() - timedelta(days=91))
    ours(SandboxEmail).update(created_at=timezone.now() - timedelta(days=91))
    call_command("prune", verbosity=0)
    assert [model.objects.count() for model in (Notice, SandboxEmail)] == [0, 0]


def test_whom_an_operator_invites_is_told_too(browser, group, dave, run_jobs):  # noqa: F811
    path = f"/admin/groups/group/{group.pk}/change/"
    form = read_form(browser.get(path))
    place = form["invitations-TOTAL_FORMS"]
    new = {"TOTAL_FORMS": str(int(place) + 1), f"{place}-user": str(dave.pk), f"{place}-group": str(group.pk)}
    browser.post(path, {**form, **{f"invitations-{name}": value for name, value in new.items()}})
    run_jobs()
    assert told() == [("Dave", "invited", "email")]


def test_membership_is_no_invitation(api, group, dave):
    api.post(f"/api/groups/{group.pk}/groupMembers", {"userId": dave.pk})
    assert Membership.objects.filter(user=dave).exists()
    assert not ours(Notice).exists()
