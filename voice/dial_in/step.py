"""Where a call is in its conversation. Nothing of it is stored: it goes to Twilio and comes back, in the address to
which the next key is posted, signed and for this call alone.

What it says opens nothing by itself: who the caller may be, and where they may go, is asked anew at each step. It saves
what only the first request of a call says for sure, whether the network vouches for the caller's number.
"""

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Self
from urllib.parse import urlencode

from django.conf import settings
from django.core import signing

SALT = "voice.dial_in.step"
LONGEST_CALL = 3600
MOST_AT_ONCE = 8
MORE = "9"
VOUCHED_FOR = "TN-Validation-Passed-A"
"""https://www.twilio.com/docs/voice/trusted-calling-with-shakenstir: the whole word, for there are longer ones."""

Asked = Literal["", "person", "group"]


@dataclass(frozen=True, slots=True)
class Step:
    sid: str
    is_attested: bool
    """Whether the caller's number is believed to be theirs."""
    asked: Asked = ""
    """What the caller has been asked for, and is answering by a key."""
    offered: tuple[int, ...] = ()
    """The ids that stand under 1, 2, 3, …"""
    has_more: bool = False
    page: int = 0
    person: int = 0
    group: int = 0
    """What was chosen; 0 before."""
    in_vain: int = 0
    """How often nothing, or a wrong key, was pressed."""
    wrong: int = 0
    """How many codes were wrong."""

    @classmethod
    def of(cls, params: dict[str, str]) -> Self:
        """Where the call is, by what Twilio posts; at its beginning where that says nothing, or is not ours."""
        sid = params.get("CallSid", "")
        try:
            kept: Any = signing.loads(params.get("step", ""), salt=SALT, max_age=LONGEST_CALL)
            step = cls(**{**kept, "offered": tuple(kept["offered"])})
        except (signing.BadSignature, TypeError, KeyError):
            step = None
        return step if step and step.sid == sid else cls(sid, is_attested(params))

    def address(self, path: str) -> str:
        """The door at which the call goes on from here."""
        kept = signing.dumps({**asdict(self), "offered": list(self.offered)}, salt=SALT, compress=True)
        return f"{settings.PUBLIC_URL}{path}?{urlencode({'step': kept})}"

    def pressed(self, key: str) -> Self:
        """After a key, or none."""
        if not self.asked:
            return self
        if key == MORE and (self.has_more or self.page):
            return replace(self, page=self.page + 1 if self.has_more else 0, in_vain=0)
        if key.isascii() and key.isdigit() and 1 <= int(key[:2]) <= len(self.offered):
            pk = self.offered[int(key) - 1]
            person, group = (pk, 0) if self.asked == "person" else (self.person, pk)
            return replace(self, person=person, group=group, asked="", offered=(), has_more=False, page=0, in_vain=0)
        return replace(self, in_vain=self.in_vain + 1)


def is_attested(params: dict[str, str]) -> bool:
    return settings.TRUST_CALLER_ID == "always" or params.get("StirVerstat") == VOUCHED_FOR
