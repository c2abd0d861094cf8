"""Reads DATABASE_URL as libpq reads an address, and says what is wrong with it before anybody connects.

dj-database-url makes Django's settings of it. It asks nobody whether an option exists, and knows one host at most: what
is wrong, several hosts and the options are read here.

https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS
"""

import re
from typing import Any
from urllib.parse import unquote

import dj_database_url

from voicechat.database_options import GIVE_UP, faults_of

WRITE = "write sqlite:///file or postgres://user:password@host:5432/name"
ENCODE = (
    "has a character that must be written by its number where it is part of a name or a password: "
    "# as %23, % as %25, / as %2F, ? as %3F, @ as %40."
)
POSTGRESQL = ("postgres", "postgresql", "pgsql")
HOST = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::([0-9]{1,5}))?|([^:\[\]]*)(?::([0-9]{1,5}))?")
PLACES = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "NAME"}
"""Options that say what may also stand before the question mark."""
LONGEST_NAME = 63
SQLITE_OPTIONS: dict[str, Any] = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 5,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
}
LIVES: dict[str, Any] = {"conn_max_age": 60, "conn_health_checks": True}
BACKEND = "voicechat.postgresql"
"""Django's own, which waits no longer than it may."""

Database = dict[str, Any]


class UnusableError(ValueError):
    """Says what is wrong, behind the variable's name."""


def read_database(url: str) -> tuple[Database, list[str]]:
    """What Django's DATABASES has, and every fault that was found; none quotes a password."""
    scheme, _, rest = url.partition("://")
    try:
        if scheme.lower() == "sqlite":
            return sqlite(rest), []
        if scheme.lower() in POSTGRESQL:
            return postgresql(rest)
    except UnusableError as error:
        return {}, [str(error)]
    if re.fullmatch("[A-Za-z0-9+.-]{1,40}", scheme) and "://" in url:
        return {}, [f"begins with {scheme}://: {WRITE}."]
    return {}, [f"cannot be used: {WRITE}."]


def sqlite(rest: str) -> Database:
    if "?" in rest:
        raise UnusableError("has options behind a question mark: SQLite takes none here. In a file's name it is %3F.")
    name = decoded(rest) if rest == ":memory:" else decoded(rest).removeprefix("/")
    if not name or (name == rest != ":memory:"):
        raise UnusableError("names no file: write sqlite:///file, or sqlite:////folder/file from the root on.")
    return {**dj_database_url.parse(f"sqlite:///{rest.removeprefix('/')}", **LIVES), "NAME": name}


def postgresql(rest: str) -> tuple[Database, list[str]]:
    before, _, query = rest.partition("?")
    authority, _, path = before.partition("/")
    known, _, hosts = authority.rpartition("@")
    if "#" in rest or any("@" in part for part in (known, path, query)):
        raise UnusableError(ENCODE)
    user, _, password = known.partition(":")
    found = {"USER": decoded(user), "PASSWORD": decoded(password), "NAME": decoded(path), **servers(hosts)}
    options, faults = read_options(query, found)
    if not found["NAME"] and "service" not in options:
        faults.append("names no database: write its name behind the host, as in postgres://user:password@host/name.")
    if "/" in path or len(found["NAME"].encode()) > LONGEST_NAME:
        faults.append("has more behind the host than a database's name: that has at most 63 bytes, and / in it is %2F.")
    pooled = options.pop("pool", None) == "transaction"
    settings = dj_database_url.parse("postgres://", engine=BACKEND, disable_server_side_cursors=pooled, **LIVES)
    return {**settings, **found, "OPTIONS": {**GIVE_UP, **options}}, faults


def servers(hosts: str) -> dict[str, str]:
    """One or several, by commas; a socket's folder where it begins with a slash."""
    found = [HOST.fullmatch(host) for host in hosts.split(",")]
    ports = [each and (each[2] or each[4] or "") for each in found]
    if not all(found) or any(port and not 0 < int(port) < 2**16 for port in ports):
        raise UnusableError(f"has a host or a port that is none: {WRITE}. In a password / is %2F and @ is %40.")
    names = [decoded(each[1] or each[3]) for each in found if each]
    return {"HOST": ",".join(names), "PORT": ",".join(map(str, ports)) if any(ports) else ""}


def read_options(query: str, found: dict[str, str]) -> tuple[dict[str, str], list[str]]:
    """The options, and their faults. Those that may stand before the question mark are put into `found`."""
    options: dict[str, str] = {}
    faults: list[str] = []
    for part in query.split("&") if query else []:
        name, is_set, value = part.partition("=")
        name, value = decoded(name), decoded(value)
        if not is_set:
            faults.append("has something behind the question mark that is no option: write option=value.")
        elif name in options or (name in PLACES and found[PLACES[name]]):
            faults.append(f"says the {name} twice.")
        elif name in PLACES:
            found[PLACES[name]] = value
        else:
            options[name] = value
    if not re.fullmatch("[0-9,]*", found["PORT"]):
        faults.append("has a port that is none: use a whole number, such as 5432.")
    return options, faults + faults_of(options)


def decoded(text: str) -> str:
    """Without %-escapes. Raises UnusableError for what is none."""
    if re.search(r"%(?![0-9A-Fa-f]{2})|[\x00-\x1f\x7f]|%00", text):
        raise UnusableError(ENCODE)
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise UnusableError("has %-escapes that are no UTF-8.") from None
