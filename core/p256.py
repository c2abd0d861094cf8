"""Keys of the curve P-256, as Apple, browsers and the environment write them."""

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    derive_private_key,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from core.base64url import decoded, encoded

NUMBER = 32
"""Bytes of a private key."""


def key_of_number(text: str) -> EllipticCurvePrivateKey:
    """A private key by its number in base64url. Raises ValueError."""
    number = decoded(text)
    if len(number) != NUMBER:
        raise ValueError(f"A key has {NUMBER} bytes.")
    return derive_private_key(int.from_bytes(number, "big"), SECP256R1())


def number_of(key: EllipticCurvePrivateKey) -> str:
    return encoded(key.private_numbers().private_value.to_bytes(NUMBER, "big"))


def key_of_pem(text: str) -> EllipticCurvePrivateKey:
    """Raises ValueError for any other key."""
    try:
        key = load_pem_private_key(text.encode(), password=None)
    except (TypeError, UnsupportedAlgorithm) as error:
        raise ValueError("The key cannot be read.") from error
    if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
        raise ValueError("The key is none of P-256.")
    return key


def point(key: EllipticCurvePublicKey) -> bytes:
    """Uncompressed: 65 bytes."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
