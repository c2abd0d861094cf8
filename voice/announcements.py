"""What is spoken into a call that goes on. Twilio is given an address, and asks there for the words: by a name, so that
nothing else can be said by it.
"""

from urllib.parse import urlencode

from django.conf import settings

from voice.telephony.interface import Announce

ALONE = "alone"
WORDS = {
    ALONE: (
        "You are alone on this call.",
        "It ends in one minute, unless somebody joins.",
        "You can call again at any time.",
    ),
}


def address_of(name: str) -> str:
    return f"{settings.PUBLIC_URL}/api/voice/announcement?{urlencode({'say': name})}"


def announcement(name: str) -> Announce:
    """Nothing, where there is none of that name."""
    return Announce(WORDS.get(name, ()), times=2)
