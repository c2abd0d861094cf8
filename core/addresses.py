"""Where a request comes from: whom a throttle counts as one, where nobody has signed in."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from django.conf import settings
from django.http import HttpRequest

MOST_HOPS = 20
"""Proxies in a row that are looked behind: nobody has more, and the header is the client's to fill."""


def client_address(request: HttpRequest) -> str:
    """The client's IPv4 address, or the /64 of its IPv6 address, of which one household or machine has all.

    X-Forwarded-For is read as far as TRUSTED_PROXIES wrote it: from the right, up to the first address that is none of
    them. The rest, which a client may have made up, is not looked at, and what is no bare address ends the walk.
    Empty for a connection without an address, such as a proxy's through a Unix socket: all its clients are as one.
    """
    return shown(sender(request))


def full_address(request: HttpRequest) -> str | None:
    """The same, but of IPv6 the whole address: for what the log tells of operators. None where there is none."""
    client = sender(request)
    return str(client) if client else None


def sender(request: HttpRequest) -> IPv4Address | IPv6Address | None:
    client = address_of(request.META.get("REMOTE_ADDR", ""))
    hops = request.headers.get("X-Forwarded-For", "").rsplit(",", MOST_HOPS)
    for hop in reversed(hops):
        before = address_of(hop.strip())
        if before is None or not is_trusted(client):
            break
        client = before
    return client


def address_of(text: str) -> IPv4Address | IPv6Address | None:
    """IPv4 written as IPv6 (::ffff:10.0.0.1), as a server that listens on both hears it, is IPv4."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def is_trusted(address: IPv4Address | IPv6Address | None) -> bool:
    return address is not None and any(address in network for network in settings.TRUSTED_PROXIES)


def shown(address: IPv4Address | IPv6Address | None) -> str:
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address), 64), strict=False))
    return str(address or "")
