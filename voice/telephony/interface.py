"""What telephony is to this project. `twilio_telephony.py` and `sandbox_telephony.py` are two of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from django.conf import settings
from rest_framework.exceptions import APIException

from core.vendors import vendor

ENDED = ("completed", "busy", "failed", "no-answer", "canceled")
"""https://www.twilio.com/docs/voice/api/call-resource#call-status-values"""


@dataclass(frozen=True, slots=True)
class Captions:
    """That what the person of a leg says is written down, as they say it."""

    language: str
    """As BCP 47 writes it."""
    callback: str
    """Where Twilio tells it."""
    hints: tuple[str, ...] = ()
    """Names that may be said."""


@dataclass(frozen=True, slots=True)
class Dial:
    """What a caller is let into: the group's conference (`core/conference_names.py`)."""

    group_id: int
    participant_label: str
    """Names one leg only: Twilio refuses a second one with it. Empty for none."""
    time_limit: int
    """Seconds until Twilio ends this leg."""
    status_callback: str
    greeting: tuple[str, ...] = ()
    """What the caller hears first, sentence by sentence."""
    language: str = ""
    """Of the greeting, as BCP 47 writes it; empty leaves it to Twilio, which then speaks American English."""
    muted: bool = False
    """Whether nothing is heard of them at first."""
    keypad: str = ""
    """The whole address to which the caller goes by pressing *, and back from there; empty for no such way."""
    captions: Captions | None = None


@dataclass(frozen=True, slots=True)
class Say:
    """What a caller hears, sentence by sentence, before they are hung up on."""

    sentences: tuple[str, ...]
    language: str = ""
    times: int = 1
    """How often all of it is spoken."""


@dataclass(frozen=True, slots=True)
class Gather:
    """What a caller is asked, and answers by the keys of their phone."""

    sentences: tuple[str, ...]
    language: str
    action: str
    """The whole address to which Twilio posts the keys as `Digits`; without them, where none was pressed."""
    digits: int
    """So many keys end the answer."""
    timeout: int
    """Seconds for which a key is waited for."""
    times: int = 2


@dataclass(frozen=True, slots=True)
class Announce:
    """What is spoken to who is on a call, which goes on."""

    sentences: tuple[str, ...]
    language: str = ""
    times: int = 1


Admission = Dial | Say | Gather
"""What becomes of a caller at this moment."""


@dataclass(frozen=True, slots=True)
class CallReport:
    """What Twilio knows of a call. `status` is one of
    https://www.twilio.com/docs/voice/api/call-resource#call-status-values
    """

    status: str
    duration: int | None = 0
    """Seconds; 0 until it has ended; None where Twilio wrote something else."""
    duration_told: str = ""
    """As Twilio wrote it."""
    price_micros: int | None = None
    """Micro-dollars, negative; None while it is not known, for a price in another unit, and for one that is none."""
    price_unit: str = "USD"
    price_told: str = ""
    """As Twilio wrote it."""
    start_time: datetime | None = None
    end_time: datetime | None = None

    @property
    def ended(self) -> bool:
        return self.status in ENDED


@dataclass(frozen=True, slots=True)
class ConferenceReport:
    """What Twilio knows of a conference."""

    completed: bool
    on: frozenset[str] = frozenset()
    """The CallSids of those who are on it now: nobody, where it is completed."""
    muted: Mapping[str, bool] = field(default_factory=dict)
    """By CallSid whether they are muted, as far as Twilio says."""
    end_time: datetime | None = None


class Telephony(Protocol):
    name: str
    is_played: bool
    """Whether its calls are played, and last as long as they say, however little time has passed."""
    caller_id: str
    """The number that people see who are rung."""

    def access_token(self, *, identity: str) -> str:
        """A JWT for Twilio's Voice SDKs, valid for an hour."""

    def is_signed(self, *, url: str, params: Mapping[str, str], signature: str) -> bool:
        """Whether Twilio signed a webhook. Never raises, whatever it is given."""

    def answer(self, admission: Admission | Announce) -> str:
        """TwiML that lets the caller in, asks them, or speaks to them and hangs up, or to a call and does not."""

    def announce(self, *, conference_sid: str, url: str, call_sid: str = "") -> bool:
        """Has spoken to everybody on a conference, or to one leg of it, what this address answers; whether Twilio does
        so. It cannot where it does not know the conference or the leg there, or that is over."""

    def ring(self, *, to: str, url: str, status_callback: str, seconds: int) -> str:
        """Rings a phone, or an app ("client:u_7"), for so long at most; the call's sid. Who answers hears what `url`
        answers. Once more, it rings once more: whoever asks makes sure that they ask once."""

    def end_conference(self, *, sid: str) -> bool:
        """Hangs up on everybody in a conference; whether Twilio knows it. One that has ended already stays so.

        By its sid alone, never by its name: another server's conference may be called the same.
        """

    def end_call(self, *, call_sid: str) -> bool:
        """Hangs up on one leg; whether Twilio knows it. One that has ended already stays so."""

    def start_captions(self, *, call_sid: str, captions: Captions) -> str:
        """Has written down what the person of a leg says; Twilio's id of that. Raises CaptionsRefused."""

    def stop_captions(self, *, call_sid: str, sid: str) -> None:
        """Has it written down no longer. What is over already stays so."""

    def mute(self, *, conference_sid: str, call_sid: str, muted: bool) -> bool:
        """Lets nothing be heard of a leg on a conference, or lets it be heard again; whether Twilio knows it there."""

    def conference(self, *, sid: str) -> ConferenceReport | None:
        """How a conference stands now. None where Twilio does not know it, which says nothing of how it stands."""

    def call(self, *, sid: str, duration: int = 0) -> CallReport | None:
        """How a call stands now. None where Twilio does not know it, which says nothing of how it stands.

        `duration` is what we know of it, for the sandbox, which keeps no calls.
        """


class TelephonyUnavailable(APIException):
    status_code = 503
    default_code = "telephony_unavailable"
    default_detail = "The telephone service does not answer. Nothing is lost: try again."
    wait = 10


class TelephonyRefused(APIException):
    status_code = 400
    default_code = "telephony_refused"
    default_detail = "The telephone service does not accept this."


class CaptionsRefused(TelephonyRefused):
    """What somebody says is not written down."""

    default_code = "captions_refused"
    default_detail = "The telephone service writes down nothing of this call."

    def __init__(self, *, is_gone: bool) -> None:
        """`is_gone` where the leg is not on any more, or not yet; else it is what we asked for that Twilio refuses."""
        super().__init__()
        self.is_gone = is_gone


def telephony() -> Telephony:
    """The implementation that the settings name. Raises NotConfigured where there is none."""
    off = f"Calls are switched off here: the operator must set {', '.join(settings.TWILIO_NAMES)}."
    backend: Telephony = vendor(settings.TELEPHONY, off=off)
    return backend
