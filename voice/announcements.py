"""What is spoken into a call that goes on. Twilio is given an address, and asks there for the words: by a name, so that
nothing else can be said by it, and in the group's language, so that no database is asked for it.
"""

from urllib.parse import urlencode

from django.conf import settings

from voice import sentences
from voice.languages import language_of
from voice.sentences import language_for, spoken
from voice.telephony.interface import Announce

ALONE, LIMIT, MONEY = "alone", "limit", "money"
CAPTIONS_ON, CAPTIONS_OFF, CAPTIONS_END = "captionsOn", "captionsOff", "captionsEnd"
WORDS = {
    ALONE: (sentences.ALONE, sentences.ENDS_ALONE, sentences.CALL_AGAIN),
    LIMIT: (sentences.ENDS_FOR_YOU, sentences.CALL_AGAIN_THEN),
    MONEY: (sentences.ENDS_FOR_ALL, sentences.MONEY_USED_UP, sentences.ADD_MONEY),
    CAPTIONS_ON: (sentences.CAPTIONS_ON,),
    CAPTIONS_OFF: (sentences.CAPTIONS_OFF,),
    CAPTIONS_END: (sentences.CAPTIONS_END, sentences.MONEY_USED_UP, sentences.ADD_MONEY),
}


ONCE = (CAPTIONS_ON, CAPTIONS_OFF)
"""They stand in the way of a conversation. The others are spoken twice."""


def address_of(name: str, *, group_id: int | None) -> str:
    asked = urlencode({"say": name, "language": language_of([group_id])})
    return f"{settings.PUBLIC_URL}/api/voice/announcement?{asked}"


def announcement(name: str, language: str) -> Announce:
    """Nothing, where there is none of that name."""
    known = language_for(language)
    times = 1 if name in ONCE else 2
    return Announce(tuple(spoken(each, known) for each in WORDS.get(name, ())), known, times=times)
