"""E-mails through a real SMTP conversation, and what a mail server can answer."""

import smtplib
from dataclasses import replace
from time import monotonic

import pytest

from core.deadline import deadline
from groups.notifications.mail.interface import Email, MailRefused, MailUnavailable, mailer
from groups.notifications.models import SandboxEmail
from tests.doubles.fixtures import mail_at
from tests.doubles.mail_server import PASSWORD, USER, MailDouble, MailFault, part
from tests.neighbours import ours

EMAIL = Email(
    to="anna@example.com",
    subject="Zdeňka invited you",
    text="Zdeňka invited you.\n",
    html="<p>Zdeňka invited you.</p>",
    key="notice-17",
    unsubscribe="https://api.example.com/api/users/unsubscribe?token=12:abc",
)


def test_an_email_comes_as_text_and_html_from_whom_the_operator_says(mail):
    mailer().send(EMAIL)
    (sent,) = mail.received
    assert (sent["To"], sent["From"]) == ("anna@example.com", "Family Calls <hello@calls.example.com>")
    assert sent["Subject"] == "Zdeňka invited you"
    assert (part(sent, "plain").strip(), part(sent, "html").strip()) == (
        "Zdeňka invited you.",
        "<p>Zdeňka invited you.</p>",
    )
    assert sent.get_content_type() == "multipart/alternative"
    assert mail.recipients == [["anna@example.com"]]


def test_it_can_be_ended_by_one_click_and_wants_no_automatic_answer(mail):
    mailer().send(EMAIL)
    (sent,) = mail.received
    assert sent["List-Unsubscribe"] == f"<{EMAIL.unsubscribe}>"
    assert sent["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert sent["Auto-Submitted"] == "auto-generated"


def test_what_was_asked_for_has_nothing_to_be_ended(mail):
    mailer().send(replace(EMAIL, unsubscribe=""))
    (sent,) = mail.received
    assert (sent["List-Unsubscribe"], sent["List-Unsubscribe-Post"]) == (None, None)
    assert sent["Auto-Submitted"] == "auto-generated"


def test_the_same_email_has_the_same_id(mail):
    mailer().send(EMAIL)
    mailer().send(EMAIL)
    mailer().send(replace(EMAIL, key="notice-18"))
    first, again, other = (sent["Message-ID"] for sent in mail.received)
    assert first == again == "<notice-17@calls.example.com>"
    assert other != first


PERMANENT = [
    "500 Line too long",
    "550 5.1.1 No such user",
    "553 Mailbox name not allowed",
    "552 5.2.2 Mailbox full for ever",
]
TEMPORARY = ["450 4.2.0 Greylisted", "421 4.7.0 Come later", "554 5.7.1 Relay access denied", "550 5.7.26 No DMARC"]


@pytest.mark.parametrize("step", ["RCPT", "DATA"])
@pytest.mark.parametrize("answer", PERMANENT)
def test_what_the_server_never_takes_is_refused(mail, step, answer):
    mail.fail_next(step, answer)
    with pytest.raises(MailRefused):
        mailer().send(EMAIL)
    assert mail.received == []


@pytest.mark.parametrize("step", ["RCPT", "DATA"])
@pytest.mark.parametrize("answer", TEMPORARY)
def test_what_the_server_may_take_later_is_unavailable(mail, step, answer):
    mail.fail_next(step, answer)
    with pytest.raises(MailUnavailable):
        mailer().send(EMAIL)
    mailer().send(EMAIL)
    assert len(mail.received) == 1


@pytest.mark.parametrize("answer", ["550 5.1.8 Who are you", "451 Try later"])
def test_a_sender_that_is_refused_is_the_operators_to_mend(mail, answer):
    mail.fail_next("MAIL", answer)
    with pytest.raises(MailUnavailable):
        mailer().send(EMAIL)


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("fault", [MailFault.DROP, MailFault.HANG])
def test_a_server_that_hangs_up_or_falls_silent_is_unavailable_in_time(mail, step, fault):
    mail.fail_next(step, fault)
    begun = monotonic()
    with deadline(1.0), pytest.raises(MailUnavailable):
        mailer().send(EMAIL)
    assert monotonic() - begun < 3
    assert mail.received == []


def test_slow_answers_have_one_deadline_together(mail, short_deadline):
    """None of them alone is too slow; what is not taken by then is tried again, and is not sent meanwhile."""
    mail.fail_next("MAIL", MailFault.SLOW)
    mail.fail_next("RCPT", MailFault.SLOW)
    with pytest.raises(MailUnavailable):
        mailer().send(EMAIL)
    assert mail.received == []


def test_an_answer_that_is_lost_is_unavailable_and_the_email_keeps_its_id(mail):
    mail.fail_next("DATA", MailFault.LOSE_ANSWER)
    with pytest.raises(MailUnavailable):
        mailer().send(EMAIL)
    mailer().send(EMAIL)
    assert len({sent["Message-ID"] for sent in mail.received}) == 1


@pytest.mark.parametrize("fault", [smtplib.SMTPServerDisconnected("gone"), TimeoutError(), ConnectionResetError()])
def test_what_goes_wrong_after_the_server_has_it_changes_nothing(mail, monkeypatch, fault):
    def leave(self):
        raise fault

    monkeypatch.setattr("groups.notifications.mail.smtp.TimedSMTP.quit", leave)
    mailer().send(EMAIL)
    assert len(mail.received) == 1


def test_a_server_that_is_not_there_is_unavailable(mail):
    mail.stop()
    with pytest.raises(MailUnavailable):
        mailer().send(EMAIL)


def test_past_the_deadline_nobody_is_asked(mail, past_deadline):
    with pytest.raises(MailUnavailable):
        mailer().send(EMAIL)
    assert mail.conversations == 0


UNUSABLE = ["", "anna", "anna@example.com\nBcc: all@example.com", "a@b\r\n.c", "änna@example.com", "anna @example.com"]
UNUSABLE += ["\u212aarl@example.com"]  # Django takes the Kelvin sign for a k


@pytest.mark.parametrize("backend", ["mail", "sandbox"])
@pytest.mark.parametrize("address", UNUSABLE)
def test_an_address_that_is_none_reaches_no_header(request, db, backend, address):
    double = request.getfixturevalue("mail") if backend == "mail" else None
    with pytest.raises(MailRefused):
        mailer().send(replace(EMAIL, to=address))
    assert double is None or double.conversations == 0
    assert not ours(SandboxEmail).exists()


def test_a_domain_in_other_letters_is_written_as_mail_servers_know_it(mail):
    mailer().send(replace(EMAIL, to="anna@münchen.example"))
    assert mail.recipients == [["anna@xn--mnchen-3ya.example"]]


@pytest.fixture
def certificate(self_signed, tmp_path, monkeypatch, _loopback):
    """The double's, which is trusted."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate"))
    return self_signed


LOGIN = {"email_use_tls": "true", "email_host_user": USER, "email_host_password": PASSWORD}


def test_it_signs_in_once_the_line_is_secret(certificate, settings):
    with MailDouble(tls=certificate, wants_login=True) as double:
        settings.MAIL = mail_at(double, **LOGIN)
        mailer().send(EMAIL)
        assert (len(double.received), len(double.logins)) == (1, 1)


def test_on_the_port_that_is_secret_from_the_first_no_plain_word_is_said(certificate, settings, monkeypatch):
    with MailDouble(tls=certificate, from_the_first=True) as double:
        monkeypatch.setattr("groups.notifications.mail.smtp.TLS_FROM_THE_FIRST", double.port)
        settings.MAIL = mail_at(double, email_use_tls="true")
        mailer().send(EMAIL)
        assert len(double.received) == 1


def test_there_too_slow_answers_have_one_deadline_together(certificate, settings, monkeypatch, short_deadline):
    with MailDouble(tls=certificate, from_the_first=True) as double:
        monkeypatch.setattr("groups.notifications.mail.smtp.TLS_FROM_THE_FIRST", double.port)
        settings.MAIL = mail_at(double, email_use_tls="true")
        double.fail_next("MAIL", MailFault.SLOW)
        double.fail_next("RCPT", MailFault.SLOW)
        with pytest.raises(MailUnavailable):
            mailer().send(EMAIL)
        assert double.received == []


@pytest.mark.usefixtures("_loopback")
def test_on_that_port_too_the_operator_may_leave_the_line_open(settings, monkeypatch):
    with MailDouble() as double:
        monkeypatch.setattr("groups.notifications.mail.smtp.TLS_FROM_THE_FIRST", double.port)
        settings.MAIL = mail_at(double)
        mailer().send(EMAIL)
        assert len(double.received) == 1


def test_a_wrong_password_is_the_operators_to_mend(certificate, settings):
    with MailDouble(tls=certificate, wants_login=True) as double:
        settings.MAIL = mail_at(double, **{**LOGIN, "email_host_password": "another"})
        with pytest.raises(MailUnavailable):
            mailer().send(EMAIL)
        assert double.received == []


def test_nothing_is_sent_where_the_line_cannot_be_made_secret(certificate, settings, monkeypatch):
    with MailDouble() as double:
        settings.MAIL = mail_at(double, email_use_tls="true")
        with pytest.raises(MailUnavailable):
            mailer().send(EMAIL)
        assert double.received == []
    monkeypatch.delenv("SSL_CERT_FILE")
    with MailDouble(tls=certificate) as double:
        settings.MAIL = mail_at(double, **LOGIN)
        with pytest.raises(MailUnavailable):
            mailer().send(EMAIL)
        assert double.received == []


def test_nothing_of_an_address_is_logged(mail, log):
    mail.fail_next("RCPT", "550 anna@example.com is nobody here", "450 anna@example.com is away")
    for _ in range(2):
        with pytest.raises((MailRefused, MailUnavailable)):
            mailer().send(EMAIL)
    with pytest.raises(MailRefused):
        mailer().send(replace(EMAIL, to="anna@example.com\n"))
    assert log.texts
    assert not [text for text in log.texts if "anna" in text]


def test_the_sandbox_keeps_what_it_would_have_sent(db):
    mailer().send(EMAIL)
    kept = ours(SandboxEmail).get()
    assert (kept.to, kept.subject, kept.text, kept.html) == (EMAIL.to, EMAIL.subject, EMAIL.text, EMAIL.html)
