"""Text messages without an account: they are kept, and shown in the admin."""

from groups.notifications.models import SandboxMessage
from groups.notifications.sms.lengths import shortened


class SandboxSMS:
    name = "sandbox"

    def send(self, *, to: str, text: str) -> None:
        SandboxMessage.objects.create(to=to, body=shortened(text))
