"""How a leg is let into its conference, and where it goes when it steps out again: to the menu of its keypad.

Like a step of `dial_in`, this travels in the address that Twilio is given, signed and for this call alone: so a call
finds back to its conversation though the database does not answer. docs/decisions/keypad.md
"""

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Self
from urllib.parse import urlencode

from django.conf import settings
from django.core import signing

from users.client_identity import CLIENT
from voice.credit.limits import FOUR_HOURS, MINUTE
from voice.telephony.interface import Dial

KEYPAD = "/api/voice/keypad"
SALT = "voice.entering"
CALLBACK_RETRIES = "#rc=5&rp=all"  # https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides


@dataclass(frozen=True, slots=True)
class Entry:
    """One time that a leg is let in."""

    sid: str
    leg: int
    """Its id; 0 for none, as when somebody tries it by curl."""
    group: int
    ends_at: int
    """When its time limit is over, in seconds since 1970: the same one, however often it steps out."""
    language: str = ""
    number: int = 1
    """Which time it is."""
    muted: bool = False
    quiet: bool = False
    """Whether its person wants no warnings."""
    asked: bool = False
    """Whether it is in the menu, and a key is awaited."""
    in_vain: int = 0
    """How often a wrong key was pressed."""

    @classmethod
    def of(cls, params: dict[str, str]) -> Self | None:
        """The one from which Twilio comes; None where its address is not ours, or of another call."""
        try:
            kept: Any = signing.loads(params.get("entry", ""), salt=SALT, max_age=FOUR_HOURS + MINUTE * 60)
            entry = cls(**kept)
        except (signing.BadSignature, TypeError):
            return None
        return entry if entry.sid == params.get("CallSid", "") else None

    @property
    def address(self) -> str:
        kept = signing.dumps(asdict(self), salt=SALT, compress=True)
        return f"{settings.PUBLIC_URL}{KEYPAD}?{urlencode({'entry': kept})}"

    @property
    def label(self) -> str:
        """Twilio lets nobody in twice by one label."""
        again = f"_{self.number}" if self.number > 1 else ""
        return f"leg_{self.leg}{again}" if self.leg else ""

    def seconds_left(self, now: datetime) -> int:
        return int(self.ends_at - now.timestamp())

    def again(self, *, muted: bool, quiet: bool) -> Self:
        return replace(self, number=self.number + 1, muted=muted, quiet=quiet, asked=False, in_vain=0)

    def dial(self, *, now: datetime, has_menu: bool = True, greeting: tuple[str, ...] = ()) -> Dial:
        return Dial(
            group_id=self.group,
            participant_label=self.label,
            time_limit=self.seconds_left(now),
            status_callback=f"{settings.PUBLIC_URL}/api/voice/conferenceEvents{CALLBACK_RETRIES}",
            greeting=greeting,
            language=self.language if greeting else "",
            muted=self.muted,
            keypad=self.address if has_menu and self.leg else "",
        )


def is_telephone(caller: str, called: str) -> bool:
    """Not an app, which has buttons: a menu would take its person off the conversation for nothing."""
    return bool(caller) and not caller.startswith(CLIENT) and not called.startswith(CLIENT)


def end_of(now: datetime, time_limit: int) -> datetime:
    """In whole seconds, as it travels."""
    return datetime.fromtimestamp(int(now.timestamp()) + time_limit, UTC)
