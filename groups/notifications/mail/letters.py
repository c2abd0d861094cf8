"""An e-mail in text and HTML: one sentence and one button, to be read on a phone."""

from dataclasses import asdict, dataclass

from django.template.loader import render_to_string

from groups.notifications.mail.interface import Email


@dataclass(frozen=True, slots=True)
class Letter:
    subject: str
    sentence: str
    button: str
    button_url: str
    note: str = ""
    """What is good to know beside: small, below the button."""
    unsubscribe: str = ""
    """The address at which one click ends such e-mails, for who has an account here."""


def email_of(letter: Letter, *, to: str, key: str) -> Email:
    shown = asdict(letter)
    return Email(
        to=to,
        subject=letter.subject,
        text=render_to_string("mail/letter.txt", shown),
        html=render_to_string("mail/letter.html", shown),
        key=key,
        unsubscribe=letter.unsubscribe,
    )
