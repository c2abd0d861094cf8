"""Telephony without an account: real tokens, TwiML and signatures by a sandbox key; nothing leaves the machine."""

import hashlib
from collections.abc import Mapping, Sequence

from django.conf import settings

from voice.models import SandboxNotification
from voice.telephony import Binding, CallReport, ConferenceReport
from voice.twilio_formats import TwilioFormats

CALLER_ID = "+15005550006"  # Twilio's own number for tests


def secret(purpose: str) -> str:
    return hashlib.blake2b(f"{purpose} {settings.SECRET_KEY}".encode(), digest_size=16).hexdigest()


class SandboxTelephony(TwilioFormats):
    name = "sandbox"

    def __init__(self) -> None:
        super().__init__(
            account_sid=f"AC{secret('account')}",
            api_key=f"SK{secret('key')}",
            api_key_secret=secret("key secret"),
            app_sid=f"AP{secret('app')}",
            auth_token=secret("auth token"),
            caller_id=CALLER_ID,
            push_credential_sid=f"CR{secret('push')}",
        )

    def signature(self, *, url: str, params: Mapping[str, str]) -> str:
        """What Twilio would put into X-Twilio-Signature: for those who play Twilio."""
        return str(self.validator.compute_signature(url, params))

    def register_binding(
        self, *, identity: str, address: str, binding_type: str, endpoint: str, tags: Sequence[str]
    ) -> Binding:
        sid = hashlib.blake2b(f"{binding_type} {address}".encode(), digest_size=16).hexdigest()
        return Binding(sid=f"BS{sid}", endpoint=endpoint)

    def has_binding(self, *, sid: str) -> bool:
        return True

    def delete_binding(self, *, sid: str) -> None:
        """Nothing is kept of a binding but our own row."""

    def notify(self, *, identities: Sequence[str], body: str, group_id: int) -> str:
        sent = SandboxNotification.objects.create(identities=list(identities), body=body, group_id=group_id)
        return f"NT{sent.pk:032x}"

    def end_conference(self, *, group_id: int) -> None:
        """Nobody really talks here."""

    def end_call(self, *, call_sid: str) -> None:
        """Nobody really talks here."""

    def conference(self, *, sid: str) -> ConferenceReport:
        """Nobody talks here for so long that somebody asks."""
        return ConferenceReport(completed=True)

    def call(self, *, sid: str, duration: int = 0) -> CallReport:
        minutes = -(-duration // 60)  # Twilio counts started minutes
        return CallReport(status="completed", duration=duration, price_micros=-minutes * settings.CALL_RATE)
