"""Where gunicorn listens, and where it keeps its workers' heartbeat."""

import os
import socket
import tempfile

MEMORY = "/dev/shm"  # noqa: S108  # not a file of ours: gunicorn makes one there by mkstemp, and removes its name
KEEP_ALIVE = 130
"""Seconds: longer than a proxy keeps an idle connection to us, or it sends a request into one that we just close.
nginx and Amazon's balancer keep them for 60 s, Traefik for 90, Caddy for 120."""


def addresses(host: str, port: int) -> list[str]:
    """What gunicorn binds: the one address that HOST names, else IPv4 and IPv6, as far as the machine has them."""
    if host:
        return [f"[{host}]:{port}" if ":" in host else f"{host}:{port}"]
    if not has_ipv6():
        return [f"0.0.0.0:{port}"]
    return [f"[::]:{port}"] if is_for_both() else [f"[::]:{port}", f"0.0.0.0:{port}"]


def has_ipv6() -> bool:
    """A kernel may know it, and have it switched off: then no address can be bound."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::", 0))
    except OSError:
        return False
    return True


def is_for_both() -> bool:
    """Whether what is bound to [::] hears IPv4 too: nearly everywhere (net.ipv6.bindv6only is 0)."""
    with socket.socket(socket.AF_INET6) as probe:
        return not probe.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)


def heartbeat_folder() -> str | None:
    """In memory where there is such a place, so that a slow or a read-only disk stops no worker; else the usual one.

    Raises FileNotFoundError where no folder can be written.
    """
    if os.access(MEMORY, os.W_OK | os.X_OK):
        return MEMORY
    tempfile.gettempdir()
    return None
