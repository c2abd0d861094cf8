"""How long a text message is, as networks count, and charge: in segments, of letters of their own alphabet or of two
bytes each. https://www.twilio.com/docs/glossary/what-sms-character-limit
"""

from math import ceil

MOST_SEGMENTS = 5
ALPHABET = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""GSM 03.38. One letter beyond it, and all of the message counts two bytes a letter."""
DOUBLE = frozenset("^{}\\[~]|€")
"""Of the same alphabet, and as long as two letters."""


def segments(text: str) -> int:
    if ALPHABET.union(DOUBLE).issuperset(text):
        size, alone, of_many = len(text) + sum(letter in DOUBLE for letter in text), 160, 153
    else:
        size, alone, of_many = len(text.encode("utf-16-le")) // 2, 70, 67
    return 1 if size <= alone else ceil(size / of_many)


def shortened(text: str, most: int = MOST_SEGMENTS) -> str:
    """At its end, by as much as is needed."""
    if segments(text) <= most:
        return text
    shortest, longest = 0, len(text)
    while longest - shortest > 1:
        middle = (shortest + longest) // 2
        if segments(f"{text[:middle]}...") <= most:
            shortest = middle
        else:
            longest = middle
    return f"{text[:shortest].rstrip()}..."
