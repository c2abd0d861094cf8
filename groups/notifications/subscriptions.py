"""A browser's push subscription: where its notifications go, and the keys that only the browser can read them with.

https://www.w3.org/TR/push-api/#pushsubscription-interface
"""

import json
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey

from core.base64url import decoded

LONGEST = 2048
NO_SUBSCRIPTION = (
    "Send the subscription as the browser's `JSON.stringify(subscription)` gives it: an https endpoint, and its keys "
    "p256dh and auth."
)


class Subscription(NamedTuple):
    endpoint: str
    p256dh: bytes
    """The browser's public key: an uncompressed point of P-256, 65 bytes."""
    auth: bytes
    """16 bytes that the browser and its server share."""


def read_subscription(text: str) -> Subscription:
    """Raises ValueError for what is none, and for an endpoint that no push service can have."""
    try:
        found = json.loads(text)
        endpoint, keys = found["endpoint"], found["keys"]
        subscription = Subscription(endpoint, decoded(keys["p256dh"]), decoded(keys["auth"]))
    except (AttributeError, KeyError, TypeError, RecursionError):
        raise ValueError(NO_SUBSCRIPTION) from None
    EllipticCurvePublicKey.from_encoded_point(SECP256R1(), subscription.p256dh)
    if len(subscription.auth) != 16 or not is_endpoint(endpoint):
        raise ValueError(NO_SUBSCRIPTION)
    return subscription


def canonical(text: str) -> str:
    """The same subscription is the same text, whatever else a browser has put into it."""
    found: dict[str, Any] = json.loads(text)
    keys = {name: found["keys"][name].rstrip("=") for name in ("p256dh", "auth")}
    return json.dumps({"endpoint": found["endpoint"], "keys": keys}, separators=(",", ":"))


def is_endpoint(address: Any) -> bool:
    """By https, of a host with a public name. Whoever registers it chooses whom our server asks: so no other port than
    443, and no bare address."""
    if not (isinstance(address, str) and address.isascii() and address.isprintable() and " " not in address):
        return False
    parts = urlsplit(address)
    host = parts.hostname or ""
    is_name = "." in host.strip(".") and not host.rsplit(".", 1)[-1].isdigit() and ":" not in host
    return parts.scheme == "https" and parts.port in (None, 443) and "@" not in parts.netloc and is_name


def is_public(address: str) -> bool:
    """Whether an address is one of the Internet's, and not of this machine, its network, or a cloud's inside."""
    found: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    found = getattr(found, "ipv4_mapped", None) or found
    return found.is_global and not found.is_multicast
