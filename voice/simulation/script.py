"""A call as Twilio would tell about it: who joins and leaves when, as its webhooks.

https://www.twilio.com/docs/voice/twiml/conference#attributes-statusCallbackEvent
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from core.conference_names import conference_name

CONFERENCE_EVENTS = "/api/voice/conferenceEvents"
CALL_EVENTS = "/api/voice/callEvents"
MAKE_CALL = "/api/voice/makeCall"
DIAL_IN = "/api/voice/dialIn"
KEYPAD = "keypad"  # where it is, the answer before says
MUTE_ONESELF = "1"
VOUCHED_FOR = "TN-Validation-Passed-A"
ANY_NUMBER = "+12025550100"  # what was dialled, where the server has none


@dataclass(frozen=True, slots=True)
class Webhook:
    """One post of Twilio's, `second` seconds into the call."""

    second: int
    path: str
    params: dict[str, str]
    told: str
    """What it says, for people."""
    keys: str = ""
    """What is pressed on a telephone when it is asked."""


@dataclass(frozen=True, slots=True)
class Caller:
    name: str
    identity: str
    code: str = ""
    """Of who calls by a telephone that shows no number."""
    number: str = ""
    """Of who calls by a telephone that is known to be theirs."""

    @property
    def has_telephone(self) -> bool:
        return bool(self.code or self.number)


def script(group_id: int, callers: Sequence[Caller], minutes: float, random: Random) -> list[Webhook]:
    """Everybody joins within the first third and leaves within the last; somebody mutes in between, by the keypad where
    they have a telephone."""
    third = max(1, int(minutes * 60 / 3))
    conference = f"CF{random.getrandbits(128):032x}"
    moments: list[tuple[int, str, Caller, str]] = []
    for caller in callers:
        sid = f"CA{random.getrandbits(128):032x}"
        joined, left = random.randrange(third), 2 * third + random.randrange(third)
        moments.append((joined, "participant-join", caller, sid))
        moments.append((left, "participant-leave", caller, sid))
    first = min(moments, key=lambda moment: moment[0])
    by_telephone = [moment for moment in moments if moment[2].has_telephone and len(callers) > 1]
    _, _, who, sid = min(by_telephone, default=first, key=lambda moment: moment[0])
    moments.append((third + random.randrange(third), KEYPAD if by_telephone else "participant-mute", who, sid))
    moments.sort(key=lambda moment: moment[0])
    return as_webhooks(group_id, conference, moments)


def as_webhooks(group_id: int, conference: str, moments: list[tuple[int, str, Caller, str]]) -> list[Webhook]:
    """What Twilio posts of these moments: when, what happens, of whom, and the sid of their call."""
    webhooks: list[Webhook] = []
    number, on, joined = 0, 0, {}

    def tell(second: int, kind: str, sid: str, told: str, **more: str) -> None:
        nonlocal number
        number += 1
        params = {"ConferenceSid": conference, "FriendlyName": conference_name(group_id), "SequenceNumber": str(number)}
        params |= {"StatusCallbackEvent": kind, "CallSid": sid, **more}
        webhooks.append(Webhook(second, CONFERENCE_EVENTS, params, told))

    for second, kind, caller, sid in moments:
        if kind == KEYPAD:
            params = {"CallSid": sid, "CallStatus": "in-progress", "DialCallStatus": "answered"}
            webhooks.append(Webhook(second, KEYPAD, params, f"{caller.name} presses *, then 1", keys=MUTE_ONESELF))
            tell(second, "participant-leave", sid, f"{caller.name} steps out", ParticipantCallStatus="in-progress")
            tell(second, "participant-join", sid, f"{caller.name} is back, muted", Muted="true")
            continue
        if kind == "participant-join":
            webhooks.append(_begins(second, group_id, caller, sid))
            on, joined[sid] = on + 1, second
        tell(second, kind, sid, f"{caller.name} {kind.removeprefix('participant-')}s")
        if kind == "participant-join" and on == 2:
            tell(second, "conference-start", sid, "the conference starts")
        if kind == "participant-leave":
            on -= 1
            done = {"CallSid": sid, "CallStatus": "completed", "CallDuration": str(second - joined[sid])}
            webhooks.append(Webhook(second, CALL_EVENTS, done, f"{caller.name}'s call is completed"))
            if not on:
                tell(second, "conference-end", sid, "the conference ends")
    return webhooks


def _begins(second: int, group_id: int, caller: Caller, sid: str) -> Webhook:
    if caller.number:
        params = {"From": caller.number, "To": ANY_NUMBER, "CallSid": sid, "Direction": "inbound"}
        return Webhook(second, DIAL_IN, {**params, "StirVerstat": VOUCHED_FOR}, f"{caller.name} dials in, and is known")
    if caller.code:
        params = {"From": "anonymous", "To": ANY_NUMBER, "CallSid": sid, "Direction": "inbound"}
        return Webhook(second, DIAL_IN, params, f"{caller.name} dials in", keys=caller.code)
    params = {"to": str(group_id), "From": f"client:{caller.identity}", "CallSid": sid}
    return Webhook(second, MAKE_CALL, params, f"{caller.name} calls")


def disturb(webhooks: list[Webhook], *, shuffle: bool, lose: float, repeat: int, random: Random) -> list[Webhook]:
    """The same webhooks as a bad line delivers them. What people ask comes first, and arrives: they hear an answer."""
    begins = (MAKE_CALL, DIAL_IN, KEYPAD)
    calls = [each for each in webhooks if each.path in begins]
    events = [each for each in webhooks if each.path not in begins and random.random() >= lose]
    if not (shuffle or lose or repeat > 1):
        return webhooks
    events = [each for each in events for _ in range(repeat)]
    if shuffle:
        random.shuffle(events)
    return calls + events
