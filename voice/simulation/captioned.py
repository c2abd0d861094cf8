"""A call with captions, played: people join, captions are turned on, they talk, one of them types, and all leave."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from random import Random

from django.core.management.base import CommandError
from django.utils import timezone

from core.jobs.standing import standing
from core.jobs.worker import do_all
from voice.models import Transcription
from voice.simulation.api_client import Server
from voice.simulation.conversation import SECONDS, TALK, TYPED, Told, conversation
from voice.simulation.script import Caller, Webhook, as_webhooks
from voice.simulation.stream import CaptionStream
from voice.simulation.telephone import Telephones, post_signed

CAPTION_EVENTS = "/api/voice/captionEvents"
TALKERS = 3
JOINED = (0, 3, 4)
"""Captions are turned on when the first has joined: so Twilio is asked for it, and told so in TwiML for the others."""
ON = 1
PATIENCE = 10.0
"""Seconds, on a busy machine."""
SHORT, LONG = 0.02, 0.5
"""For how long the stream is waited for after each callback, and in the end."""


@dataclass
class Conversation:
    server: Server
    group_id: int
    callers: Sequence[Caller]
    """Three: the first two know the group, and nobody knows the third."""
    writer: Server
    """The app of the second of them."""
    say: Callable[[str], object]
    is_fast: bool
    random: Random
    heard: dict[int, str] = field(default_factory=dict)
    """The final words of each caption that the stream has told, by its id."""

    def play(self) -> None:
        """Raises CommandError where the stream does not tell each sentence."""
        self.sids = [f"CA{self.random.getrandbits(128):032x}" for _ in self.callers]
        self.stream = CaptionStream(self.server, self.group_id)
        self.telephones = Telephones(self.server)
        self.begun, self.clock = timezone.now(), time.monotonic()
        self.stream.news(LONG)
        for second, told, act in sorted(self.steps(), key=lambda step: step[0]):
            if not self.is_fast:
                time.sleep(max(0.0, self.clock + second - time.monotonic()))
            self.say(f"{second // 60:02}:{second % 60:02}  {told}")
            act()
            self.show(SHORT)
        self.listen_to_the_end()

    def steps(self) -> Iterator[tuple[int, str, Callable[[], object]]]:
        """When, what it is, and what is done."""
        for webhook in self.calls():
            yield webhook.second, webhook.told, partial(self.telephones.post, webhook)
        yield ON, "captions are turned on", self.turn_on
        for who, caller in enumerate(self.callers):
            yield JOINED[who] + 2, f"Twilio begins to write {caller.name} down", partial(self.begin, who)
        for each in conversation():
            kind = "has said" if each.is_final else "is saying"
            told = f"Twilio tells what {self.callers[each.who].name} {kind}"
            yield each.second, told, partial(self.tell, each)
        yield TYPED[0], f"{self.callers[1].name} types", self.type_in

    def calls(self) -> list[Webhook]:
        moments = []
        for joined, caller, sid in zip(JOINED, self.callers, self.sids, strict=True):
            moments.append((joined, "participant-join", caller, sid))
            moments.append((SECONDS, "participant-leave", caller, sid))
        moments.sort(key=lambda moment: moment[0])
        return as_webhooks(self.group_id, f"CF{self.random.getrandbits(128):032x}", moments)

    def turn_on(self) -> None:
        """The first leg is asked for by a job: of a worker, and where none runs, here."""
        self.server("PUT", f"/api/groups/{self.group_id}/captions", {"on": True})
        if not standing(timezone.now()).workers:
            do_all()
        ends = time.monotonic() + PATIENCE
        while self.asked_for(self.sids[0]) is None and time.monotonic() < ends:
            time.sleep(0.1)

    def begin(self, who: int) -> None:
        self.post(who, {"TranscriptionEvent": "transcription-started", "SequenceId": "1", "LanguageCode": "en-US"})

    def tell(self, each: Told) -> None:
        self.post(each.who, each.params(f"{self.at(each.said_at):%Y-%m-%dT%H:%M:%S.%fZ}"))

    def at(self, second: int) -> datetime:
        """A conversation that is played fast was spoken fast: nothing is said in the future."""
        unit = "milliseconds" if self.is_fast else "seconds"
        return self.begun + timedelta(**{unit: second})

    def post(self, who: int, params: dict[str, str]) -> None:
        sid = self.sids[who]
        named = self.asked_for(sid) or f"GT{sid[2:]}"
        post_signed(self.server, CAPTION_EVENTS, {"CallSid": sid, "TranscriptionSid": named, **params})

    @staticmethod
    def asked_for(call_sid: str) -> str | None:
        """By which Twilio writes it down, where it has been asked for. A leg that was told so in TwiML is named by its
        first event."""
        return Transcription.objects.going_on().filter(call__sid=call_sid).values_list("sid", flat=True).first()

    def type_in(self) -> None:
        self.writer("POST", f"/api/groups/{self.group_id}/spokenMessages", {"text": TYPED[1]})
        if not standing(timezone.now()).workers:
            do_all()

    def show(self, seconds: float) -> None:
        for data in self.stream.news(seconds):
            caption, dots = data["caption"], "" if data["final"] else " …"
            if data["final"]:
                self.heard[caption["id"]] = caption["text"]
            typed = f" ({caption['spoken']})" if caption["typed"] else ""
            if caption["text"]:
                self.say(f"         | {caption['displayName']}{typed}: {caption['text']}{dots}")

    def listen_to_the_end(self) -> None:
        said, ends = sorted([*(text for _, _, text in TALK), TYPED[1]]), time.monotonic() + PATIENCE
        while sorted(self.heard.values()) != said and time.monotonic() < ends:
            self.show(LONG)
        self.stream.close()
        if sorted(self.heard.values()) != said:
            raise CommandError(f"{len(said)} sentences were said, and the stream told {len(self.heard)}.")
        self.say(f"{len(said)} sentences, and the stream has told each of them once.")
