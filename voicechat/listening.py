"""Where gunicorn listens, why it could not, and where it keeps its workers' heartbeat."""

import errno
import os
import socket
import tempfile

MEMORY = "/dev/shm"  # noqa: S108  # not a file of ours: gunicorn makes one there by mkstemp, and removes its name
KEEP_ALIVE = 130
"""Seconds: longer than a proxy keeps an idle connection to us, or it sends a request into one that we just close.
nginx and Amazon's balancer keep them for 60 s, Traefik for 90, Caddy for 120."""

WHY_NOT = {
    errno.EADDRINUSE: "Port {port} is in use: end what listens there, or choose another one, such as PORT=3301.",
    errno.EACCES: "Port {port} is the system's own, as those below 1024 are: choose another one, such as PORT=3300.",
    errno.EADDRNOTAVAIL: "{at} is no address of this machine: correct HOST, or leave it unset for all addresses.",
}


def addresses(host: str, port: int) -> list[str]:
    """What gunicorn binds: the one address that HOST names, else IPv4 and IPv6, as far as the machine has them."""
    if host:
        return [f"[{host}]:{port}" if ":" in host else f"{host}:{port}"]
    if not has_ipv6():
        return [f"0.0.0.0:{port}"]
    return [f"[::]:{port}"] if is_for_both() else [f"[::]:{port}", f"0.0.0.0:{port}"]


def why_not(host: str, port: int) -> str:
    """Why these cannot be listened on, in a sentence with what to do; empty where they can. gunicorn would try for five
    seconds, and say it by eleven lines."""
    for address in addresses(host, port):
        name = address.rpartition(":")[0].strip("[]")
        with socket.socket(socket.AF_INET6 if ":" in name else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((name, port))
                probe.listen()  # two may be bound, for that option, and one may listen
            except OSError as error:
                return WHY_NOT.get(error.errno or 0, f"Nobody may listen on {{at}} ({error.strerror}).").format(
                    at=address, port=port
                )
    return ""


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
