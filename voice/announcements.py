"""What is spoken into a call that goes on. Twilio is given an address, and asks there for the words: by a name, so that
nothing else can be said by it.
"""

from urllib.parse import urlencode

from django.conf import settings

from voice.telephony.interface import Announce

ALONE, LIMIT, MONEY = "alone", "limit", "money"
WORDS = {
    ALONE: (
        "You are alone on this call.",
        "It ends in one minute, unless somebody joins.",
        "You can call again at any time.",
    ),
    LIMIT: (
        "This call ends for you in about two minutes.",
        "You can call again then.",
    ),
    MONEY: (
        "This call ends in about two minutes.",
        "The money for it is used up.",
        "The owner of the group can add money in the app.",
    ),
}


def address_of(name: str) -> str:
    return f"{settings.PUBLIC_URL}/api/voice/announcement?{urlencode({'say': name})}"


def announcement(name: str) -> Announce:
    """Nothing, where there is none of that name."""
    return Announce(WORDS.get(name, ()), times=2)
