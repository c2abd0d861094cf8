"""Where a person's picture may be: an address that every client may put into a page."""

import unicodedata
from urllib.parse import urlsplit

from django.conf import settings

NO_PICTURE_ADDRESS = "Use an https address, such as https://example.com/me.jpg, or null for no picture."
SEPARATORS = "\\\"'<>`"
"""What has no place in an address, and could end the attribute or the style that a page writes it into."""


def is_picture_address(text: str) -> bool:
    """https, and outside production http too, with a host; nothing that is run, carried in the text, or not to be seen.

    https://www.rfc-editor.org/rfc/rfc3986
    """
    try:
        parts = urlsplit(text)
        is_whole = bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc
    except ValueError:
        return False
    ways = ("https",) if settings.PRODUCTION else ("https", "http")
    return is_whole and text.partition("://")[0].lower() in ways and all(map(may_stand, text))


def may_stand(letter: str) -> bool:
    return unicodedata.category(letter)[0] not in "CZ" and letter not in SEPARATORS
