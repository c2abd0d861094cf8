"""base64url without its padding, as tokens, keys and places are written. https://www.rfc-editor.org/rfc/rfc7515#section-2"""

from base64 import urlsafe_b64decode, urlsafe_b64encode


def encoded(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """With padding or without. Raises ValueError."""
    bare = text.rstrip("=")
    return urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
