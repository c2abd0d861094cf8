"""Twilio's requests as it posts them, form-encoded and truly signed, and the disorder in which they arrive.

https://www.twilio.com/docs/voice/twiml/conference#attributes-statusCallback
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import urlencode

from twilio.request_validator import RequestValidator

from bench.storm.story import HORIZON, Callback, Conference, Fact, Leg, Story
from tests.doubles.twilio import ACCOUNT, AUTH_TOKEN, CREDENTIALS

PUBLIC_URL = "https://calls.example.com"  # what is signed; the requests themselves go to the loopback
VALIDATOR = RequestValidator(AUTH_TOKEN)
NEAR = 30.0  # seconds of the story by which most deliveries are early or late
FAR = 0.3  # so many of the deliveries arrive anywhere in the story
ASKED_AGAIN = 0.1  # so many of the legs ask to be let in a second time, anywhere in the story
OVERTAKEN = 0.05  # so many of the legs ask for the first time anywhere in the story, often after their events


@dataclass(frozen=True)
class Post:
    path: str
    body: bytes
    signature: str


Chains = list[list[Post]]
"""A chain keeps its order; chains are delivered at once."""


def post(path: str, params: dict[str, str]) -> Post:
    signature = VALIDATOR.compute_signature(f"{PUBLIC_URL}{path}", params)
    return Post(path, urlencode(params).encode(), signature)


def make_call(conference: Conference, leg: Leg) -> Post:
    """A phone asks to be let in. Only `u_<id>` names a person."""
    caller = f"client:u_{leg.person}" if leg.person else f"client:{conference.group}"
    params = {"AccountSid": ACCOUNT, "ApiVersion": "2010-04-01", "ApplicationSid": CREDENTIALS["app_sid"]}
    params |= {"CallSid": leg.sid, "CallStatus": "ringing", "Caller": caller, "Direction": "inbound"}
    return post("/api/voice/makeCall", {**params, "From": caller, "To": "", "to": str(conference.group)})


def told(callback: Callback) -> Post:
    leg = callback.leg
    params = {"AccountSid": ACCOUNT, "CallSid": leg.sid if leg else ""}
    if callback.number is None:
        params |= {"CallStatus": callback.kind, "CallDuration": str(leg.duration if leg else 0), "Direction": "inbound"}
        return post(
            "/api/voice/callEvents", {**params, "SequenceNumber": "0", "CallbackSource": "call-progress-events"}
        )
    params |= {"ConferenceSid": callback.conference, "FriendlyName": str(callback.group)}
    params |= {"SequenceNumber": str(callback.number), "StatusCallbackEvent": callback.kind}
    if leg:
        params |= {"Muted": "false", "Hold": "false", "Coaching": "false", "EndConferenceOnExit": "false"}
    return post("/api/voice/conferenceEvents", {**params, "Timestamp": format_datetime(datetime.now(UTC))})


def in_order(story: Story) -> Chains:
    """Once each; those of one group one after the other. Every leg is let in before anything is told about it."""
    chains: dict[int, list[Post]] = {}
    for conference in story.conferences:
        chains.setdefault(conference.group, []).extend(make_call(conference, leg) for leg in conference.legs)
    for callback in sorted(story.callbacks(), key=lambda callback: callback.at):
        chains.setdefault(callback.group, []).append(told(callback))
    return list(chains.values())


class Disorder:
    """Some callbacks never arrive; the others several times, mostly a little early or late, some by far."""

    def __init__(self, story: Story, seed: int, *, lose: float, repeat: int) -> None:
        self.chance, self.repeat = random.Random(f"disorder {seed}"), repeat
        self.first: Chains = []
        self.introduced: set[Fact] = set()
        arrivals: list[tuple[float, Post, Fact]] = []
        for conference in story.conferences:
            for leg in conference.legs:
                each, overtaken = make_call(conference, leg), self.chance.random() < OVERTAKEN
                if not overtaken:
                    self.first.append([each])
                    self.introduced.add(leg)
                if overtaken or self.chance.random() < ASKED_AGAIN:
                    arrivals.append((self.chance.uniform(0, HORIZON), each, leg))
        for callback in story.callbacks():
            if self.chance.random() >= lose:
                each = told(callback)
                arrivals += [(at, each, callback) for at in self.times(callback)]
        self.arrivals = sorted(arrivals, key=lambda arrival: arrival[0])

    def times(self, callback: Callback) -> list[float]:
        return [
            self.chance.uniform(0, HORIZON)
            if self.chance.random() < FAR
            else callback.at + self.chance.uniform(-NEAR, NEAR)
            for _ in range(self.chance.randint(1, 2 * self.repeat - 1))
        ]

    def parts(self, number: int) -> Iterator[tuple[Chains, set[Fact]]]:
        """What is delivered in each part, and everything that is known by its end. Most legs are let in first."""
        known = set(self.introduced)
        yield self.first, known
        for part in range(number):
            some = self.arrivals[len(self.arrivals) * part // number : len(self.arrivals) * (part + 1) // number]
            known |= {fact for _, _, fact in some}
            yield [[each] for _, each, _ in some], known
