"""Telephony without an account: real tokens, TwiML and signatures by a sandbox key; nothing leaves the machine."""

import hashlib
from collections.abc import Mapping
from uuid import uuid4

from django.conf import settings

from voice.telephony.interface import CallReport, Captions, ConferenceReport
from voice.telephony.twilio_formats import TwilioFormats

CALLER_ID = "+15005550006"  # Twilio's own number for tests


def secret(purpose: str) -> str:
    return hashlib.blake2b(f"{purpose} {settings.SECRET_KEY}".encode(), digest_size=16).hexdigest()


class SandboxTelephony(TwilioFormats):
    name = "sandbox"
    is_played = True

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
        return str(self.validators[0].compute_signature(url, params))

    def ring(self, *, to: str, url: str, status_callback: str, seconds: int) -> str:
        """No phone rings here: who plays Twilio may answer."""
        return f"CA{uuid4().hex}"

    def end_conference(self, *, sid: str) -> bool:
        """Nobody really talks here."""
        return True

    def end_call(self, *, call_sid: str) -> bool:
        """Nobody really talks here."""
        return True

    def announce(self, *, conference_sid: str, url: str, call_sid: str = "") -> bool:
        """Nobody listens here."""
        return True

    def start_captions(self, *, call_sid: str, captions: Captions) -> str:
        """Nobody speaks here: who plays Twilio may tell what was said, under this id or another."""
        return f"GT{uuid4().hex}"

    def stop_captions(self, *, call_sid: str, sid: str) -> None:
        """Nobody speaks here."""

    def mute(self, *, conference_sid: str, call_sid: str, muted: bool) -> bool:
        """Nobody is heard here; that it was asked for is seen."""
        return True

    def conference(self, *, sid: str) -> ConferenceReport:
        """Nobody talks here for so long that somebody asks."""
        return ConferenceReport(completed=True)

    def call(self, *, sid: str, duration: int = 0) -> CallReport:
        minutes = -(-duration // 60)  # Twilio counts started minutes
        return CallReport(status="completed", duration=duration, price_micros=-minutes * settings.CALL_RATE)
