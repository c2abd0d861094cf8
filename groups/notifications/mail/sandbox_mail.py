"""E-mail without a mail server: it is kept, and shown in the admin."""

from groups.notifications.mail.interface import Email, refuse_unusable
from groups.notifications.models import SandboxEmail


class SandboxMail:
    name = "sandbox"

    def send(self, email: Email) -> None:
        refuse_unusable(email.to)
        SandboxEmail.objects.create(
            to=email.to, subject=email.subject[:255], text=email.text, html=email.html, headers=email.headers()
        )
