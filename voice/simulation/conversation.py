"""A conversation of two minutes, as Twilio tells of it where captions are on: what is being said, in parts, and what
has been said; some of it late, some twice, and some in another order.

https://www.twilio.com/docs/voice/twiml/transcription#statuscallbackurl
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

SECONDS = 120
TALK = (
    (8, 0, "Hello, is anybody there yet?"),
    (13, 1, "Yes, I am here, good evening."),
    (18, 2, "Hello, it is the neighbour. Can you hear me?"),
    (23, 0, "We can, and we can read you too."),
    (29, 1, "How was the doctor this morning?"),
    (35, 0, "He was content with me, and I may walk again."),
    (39, 0, "Only the stairs are still hard."),
    (45, 2, "Then I shall bring your letters up."),
    (50, 1, "That is very kind of you."),
    (56, 0, "Thank you. The key is under the flowerpot."),
    (68, 1, "Not so loud, Grandmother, it is written down."),
    (73, 0, "Then whoever reads it may water the flowers."),
    (79, 2, "I shall. Is it the red pot or the blue one?"),
    (84, 0, "The blue one."),
    (87, 0, "No, wait, the red one."),
    (95, 1, "We come on Sunday, all four of us."),
    (101, 0, "I look forward to it. I bake the plum cake."),
    (107, 2, "Good night, everybody."),
    (111, 1, "Good night, and sleep well."),
    (115, 0, "Good night."),
)
"""When somebody has said it, which of the three callers, and what."""
TYPED = (62, "I cannot speak now, the baby sleeps beside me.")
"""By the second of them, who reads only."""
LATE = {35: 5, 84: 4}
"""So many seconds after it was said: their own next words are told before."""
TWICE = (23, 39, 101)
STALE = (45, 95)
"""A part of it is told once more behind the whole."""


@dataclass(frozen=True, slots=True)
class Told:
    """A callback, `second` seconds into the call."""

    second: int
    said_at: int
    who: int
    number: int
    """Twilio's count of all that it tells of one phone, in the order in which it happened."""
    text: str
    is_final: bool

    def params(self, timestamp: str) -> dict[str, str]:
        """But for whose they are."""
        transcript = {"transcript": self.text} | ({"confidence": 0.9} if self.is_final else {})
        return {
            "TranscriptionEvent": "transcription-content",
            "SequenceId": str(self.number),
            "Timestamp": timestamp,
            "Track": "inbound_track",
            "LanguageCode": "en-US",
            "Final": str(self.is_final).lower(),
            "TranscriptionData": json.dumps(transcript),
        }


def conversation() -> list[Told]:
    """In the order in which it is told."""
    return sorted(_all(), key=lambda each: each.second)


def _all() -> Iterator[Told]:
    numbers = Counter({0: 1, 1: 1, 2: 1})  # the first is that it begins
    for at, who, text in TALK:
        words, told = text.split(), []
        for ago, many in ((2, max(1, len(words) // 3)), (1, 2 * len(words) // 3), (0, len(words))):
            numbers[who] += 1
            late = LATE.get(at, 0) if not ago else 0
            told.append(Told(at - ago + late, at - ago, who, numbers[who], " ".join(words[:many]), is_final=not ago))
        yield from told
        if at in TWICE:
            yield told[-1]
        if at in STALE:
            yield Told(at + 1, at, who, told[1].number, told[1].text, is_final=False)
