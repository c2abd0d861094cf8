"""The options of a connection to PostgreSQL that DATABASE_URL may have, and what each may say.

https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
"""

import os
import re
from pathlib import Path

SWITCH = ("0", "1")
WISH = ("disable", "prefer", "require")
TLS = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
CHOICES = {
    "pool": ("transaction",),  # ours: behind a pooler that gives a connection to another with each transaction
    "sslmode": ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "sslnegotiation": ("postgres", "direct"),
    "sslcertmode": ("disable", "allow", "require"),
    "sslsni": SWITCH,
    "sslcompression": SWITCH,
    "ssl_min_protocol_version": TLS,
    "ssl_max_protocol_version": TLS,
    "channel_binding": WISH,
    "gssencmode": WISH,
    "gssdelegation": SWITCH,
    "target_session_attrs": ("any", "read-write", "read-only", "primary", "standby", "prefer-standby"),
    "load_balance_hosts": ("disable", "random"),
    "keepalives": SWITCH,
    "client_encoding": ("UTF8", "utf8"),
}
WHOLE = ("connect_timeout", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout")
FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl", "passfile")
TEXTS = (
    "application_name",
    "fallback_application_name",
    "options",
    "hostaddr",
    "service",
    "sslpassword",
    "sslcrldir",
    "krbsrvname",
    "gsslib",
    "requirepeer",
    "require_auth",
)
KNOWN = sorted({*CHOICES, *WHOLE, *FILES, *TEXTS})
SYSTEM = ("sslrootcert", "system")
"""Not a file: the authorities that the machine trusts."""
SCHEMA = " (write options=-c%20search_path%3Dname)"
HINTS = {
    "pgbouncer": " (for PgBouncer in transaction mode write pool=transaction)",
    "ssl": " (write sslmode=require)",
    "schema": SCHEMA,
    "currentSchema": SCHEMA,
}

GIVE_UP: dict[str, str] = {
    "connect_timeout": "3",  # seconds, for each address of the host
    "keepalives": "1",
    "keepalives_idle": "3",
    "keepalives_interval": "1",
    "keepalives_count": "3",
    "tcp_user_timeout": "4000",  # milliseconds
}
"""So that a host which falls silent is given up: 4 s until a connection to it breaks, 3 s for a new one."""


def faults_of(options: dict[str, str]) -> list[str]:
    """A sentence for each thing that is wrong, in one option or between them."""
    faults = [fault for name, value in options.items() if (fault := fault_of(name, value))]
    return faults + unknown(options) + check_certificates(options)


def fault_of(name: str, value: str) -> str | None:
    if name in CHOICES and value not in CHOICES[name]:
        return f"has {name}={value[:40]!r}: use {one_of(CHOICES[name])}."
    if name in WHOLE and not re.fullmatch("[0-9]{1,7}", value):
        return f"has {name}={value[:40]!r}: use a whole number."
    if name == "connect_timeout" and value.strip("0") == "":
        return "has connect_timeout=0, which waits for ever: use a number of seconds."
    if name in FILES and (name, value) != SYSTEM and not is_readable(Path(value)):
        return f"has {name}={value[:200]!r}, where there is no file that can be read."
    if name == "sslkey" and is_open_to_others(Path(value)):
        return f"has {name}={value[:200]!r}, a key that others may read: PostgreSQL wants `chmod 600` for it."
    return None


def one_of(values: tuple[str, ...]) -> str:
    return f"one of {', '.join(values)}" if len(values) > 1 else f"{values[0]}, or leave it out"


def unknown(options: dict[str, str]) -> list[str]:
    names = [f"{shown(name)}{HINTS.get(name, '')}" for name in options if name not in KNOWN]
    return [f"has options that are unknown here: {', '.join(names)}. Known are {', '.join(KNOWN)}."] if names else []


def shown(name: str) -> str:
    """As it may be quoted: what is no name may be part of a password."""
    return name if re.fullmatch("[A-Za-z_-]{1,40}", name) else "one that is no name"


def is_readable(path: Path) -> bool:
    return path.is_file() and os.access(path, os.R_OK)


def is_open_to_others(key: Path) -> bool:
    """As libpq sees it, which then does not connect: root's may be read by a group."""
    status = key.stat()
    return bool(status.st_mode & (0o037 if status.st_uid == 0 else 0o077))


def check_certificates(options: dict[str, str]) -> list[str]:
    """What libpq would say only when it connects."""
    mode, root = options.get("sslmode"), options.get("sslrootcert")
    faults = []
    if root == "system" and mode not in ("verify-full", None):
        faults.append("has sslrootcert=system: it goes together with sslmode=verify-full alone.")
    if mode in ("verify-ca", "verify-full") and not root and not is_at_home("root.crt"):
        faults.append(f"has sslmode={mode}: name the authority's certificate too, by sslrootcert=file (or system).")
    for one, other, home in (("sslcert", "sslkey", "postgresql.key"), ("sslkey", "sslcert", "postgresql.crt")):
        if one in options and other not in options and not is_at_home(home):
            faults.append(f"has {one} without {other}: they go together.")
    return faults


def is_at_home(name: str) -> bool:
    """Where libpq looks by itself."""
    return (Path.home() / ".postgresql" / name).is_file()
