"""Typed readers of the environment. Every fault is collected, and `done` reports all of them in one error."""

import os
import re
import shlex
from collections.abc import Callable, Mapping
from decimal import Decimal
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.core.exceptions import ImproperlyConfigured
from redis import ConnectionPool
from redis.exceptions import RedisError

from core.phone_numbers import is_country
from voicechat.database_url import read_database

TLS = (
    "Where its certificate is its own, ?ssl_ca_certs=/etc/ssl/redis.pem names the authority, and ?ssl_cert_reqs=none "
    "asks for no proof of who it is."
)
SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 24 * 3600}


class Env:
    """Reads each variable once. An empty value counts as unset."""

    def __init__(self, source: Mapping[str, str]) -> None:
        self.source = source
        self.names: set[str] = set()
        self.faults: list[str] = []

    def text(self, name: str, default: str = "") -> str:
        self.names.add(name)
        return self.source.get(name, "").strip() or default

    def words(self, name: str) -> list[str]:
        """A comma-separated list."""
        return [word for word in (part.strip() for part in self.text(name).split(",")) if word]

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        """One of `choices`; the first is the default."""
        value = self.text(name, choices[0])
        if value not in choices:
            self.fault(f"{name} is {value!r}: use one of {', '.join(choices)}.")
            return choices[0]
        return value

    def flag(self, name: str) -> bool:
        value = self.text(name, "false").lower()
        if value not in ("true", "false"):
            self.fault(f"{name} is {value!r}: use true or false.")
        return value == "true"

    def whole(self, name: str, default: int, lowest: int = 0, highest: int = 2**31) -> int:
        value = self.text(name, str(default))
        if not (value.isascii() and value.isdigit() and len(value) <= 10 and lowest <= int(value) <= highest):
            self.fault(f"{name} is {value!r}: use a whole number from {lowest} to {highest}.")
            return default
        return int(value)

    def micros(self, name: str, default: str) -> int:
        """An amount in dollars ("0.0085") as whole micro-dollars (8500)."""
        value = self.text(name, default)
        try:
            micros = Decimal(value) * 1_000_000
            if 0 <= micros <= 10**12 and micros == micros.to_integral_value():
                return int(micros)
        except ArithmeticError:
            pass
        self.fault(f"{name} is {value!r}: use dollars, such as {default}, with up to six decimals.")
        return int(Decimal(default) * 1_000_000)

    def telephones(self, name: str) -> list[str]:
        """A comma-separated list of numbers, each as https://www.twilio.com/docs/glossary/what-e164 writes it."""
        found = self.words(name)
        for word in found:
            if not re.fullmatch(r"\+[1-9][0-9]{6,14}", word, re.ASCII):
                self.fault(f"{name} has {word!r}: write all of a number, with its country code, such as +12025550123.")
        return list(dict.fromkeys(found))

    def countries(self, name: str, default: str) -> list[str]:
        """A comma-separated list, each as ISO 3166 writes it by two letters; "none" for none."""
        found = [word.strip().upper() for word in self.text(name, default).split(",") if word.strip()]
        for word in found:
            if not is_country(word) and found != ["NONE"]:
                self.fault(f"{name} has {word!r}: write countries by their two letters, such as US,CA, or none.")
        return [] if found == ["NONE"] else list(dict.fromkeys(found))

    def rate(self, name: str, default: str) -> tuple[int, int] | None:
        """How many in how many seconds: "30/hour" is (30, 3600), and "off" None. At most 1000: each is counted."""
        value = self.text(name, default).lower()
        parts = re.fullmatch("([0-9]{1,4})/(second|minute|hour|day)", value, re.ASCII)
        if parts and 1 <= int(parts[1]) <= 1000:
            return int(parts[1]), SECONDS[parts[2]]
        if value != "off":
            self.fault(f"{name} is {value!r}: use 1 to 1000 a second, minute, hour or day, such as 30/hour, or off.")
        return None

    def networks(self, name: str) -> list[IPv4Network | IPv6Network]:
        """A comma-separated list of addresses and networks; one that holds every address is none to trust."""
        found = []
        for word in self.words(name):
            try:
                network = ip_network(word)
            except ValueError:
                network = None
            if network is None or network.prefixlen == 0:
                self.fault(f"{name} has {word!r}: use addresses or networks, such as 10.0.0.0/8, 127.0.0.1 or ::1.")
            else:
                found.append(network)
        return found

    def ip(self, name: str) -> str:
        """One address to listen on, or nothing: an IPv6 one may stand in brackets."""
        value = self.text(name).removeprefix("[").removesuffix("]")
        try:
            return str(ip_address(value)) if value else ""
        except ValueError:
            self.fault(f"{name} is {value!r}: use one address to listen on, such as 127.0.0.1, 0.0.0.0, ::1 or ::.")
            return ""

    def cache(self, name: str) -> dict[str, Any]:
        """Redis where its address is set, else this process's own memory, as Django's CACHES has them."""
        memory = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 100_000}}
        url, seconds = self.text(name), {"socket_timeout": 1, "socket_connect_timeout": 1}
        if not url:
            return memory
        try:
            (urlsplit(url).hostname or "").encode("idna")  # as connecting does
            ConnectionPool.from_url(url, **seconds).make_connection()  # made ready, not connected
        except (RedisError, TypeError, ValueError):  # they may quote the password
            self.fault(f"{name} cannot be used: write redis://user:password@host:6379/0, or rediss:// for TLS. {TLS}")
            return memory
        authority = parse_qs(urlsplit(url).query).get("ssl_ca_certs", [""])[0]
        if authority and not os.access(authority, os.R_OK):
            self.fault(f"{name} has ssl_ca_certs={authority[:200]!r}, where there is no file that can be read.")
            return memory
        redis = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": [url], "OPTIONS": seconds}
        return {**redis, "KEY_PREFIX": "voicechat"}

    def database(self, name: str, default: str) -> dict[str, Any]:
        """SQLite or PostgreSQL, as Django's DATABASES has it."""
        found, faults = read_database(self.text(name, default))
        for fault in faults:
            self.fault(f"{name} {fault}")
        return read_database(default)[0] if faults else found

    def url(self, name: str, default: str = "") -> str:
        """An http(s) address without a final slash; the default for one that cannot be used."""
        value = self.text(name, default).rstrip("/")
        try:
            parts = urlsplit(value)
        except ValueError:
            parts = urlsplit("")
        is_bare = not (parts.query or parts.fragment or "@" in parts.netloc)
        if value and (parts.scheme not in ("http", "https") or not parts.netloc or not is_bare):
            self.fault(f"{name} is {value!r}: use an address such as https://api.example.com.")
            return default
        return value

    def prefix(self, name: str, default: str) -> str:
        """The beginning of an http(s) address, right behind which comes a word."""
        value = self.text(name, default)
        if re.fullmatch(r"https?://[^\s/?#@\"'<>]+/[^\s\"'<>]*(?<=[/=#])", value, re.ASCII) and len(value) <= 200:
            return value
        self.fault(
            f"{name} is {value!r}: use the beginning of an address, up to its last /, = or #, such as "
            "https://app.example.com/join/."
        )
        return default

    def command_line(self, name: str) -> list[str]:
        """Flags for another program, as a shell would read them: whether it knows them it says itself."""
        try:
            return shlex.split(self.text(name))
        except ValueError:
            self.fault(f"{name} is {self.text(name)!r}: a quotation mark in it is not closed, or a \\ ends it.")
            return []

    def label(self, name: str) -> str:
        """A short name that is part of a longer one: letters, digits, - and _."""
        value = self.text(name)
        if not re.fullmatch("[A-Za-z0-9_-]{0,32}", value):
            self.fault(f"{name} is {value!r}: use up to 32 letters, digits, - and _.")
            return ""
        return value

    def vendor(self, vendor: str, names: tuple[str, ...], optional: tuple[str, ...] = ()) -> dict[str, str]:
        """All of a vendor's variables and those of the optional ones that are set, or an empty dict when none is."""
        values = {name: self.text(name) for name in names + optional}
        missing = [name for name in names if not values[name]]
        if missing and any(values.values()):
            unneeded = f" {', '.join(optional)} may stay unset." if optional else ""
            self.fault(f"{vendor} is half configured: also set {', '.join(missing)}, or unset the others.{unneeded}")
        return {} if missing else {name: value for name, value in values.items() if value}

    def key(self, name: str, read: Callable[[str], str], usage: str) -> str:
        """What `read` makes of it, which raises ValueError for what cannot be used. No fault quotes it."""
        value = self.text(name)
        try:
            return read(value) if value else ""
        except ValueError:
            self.fault(f"{name} cannot be used: {usage}")
            return ""

    def fault(self, sentence: str) -> None:
        self.faults.append(sentence)

    def done(self) -> None:
        """Raises ImproperlyConfigured naming every fault found so far."""
        if self.faults:
            lines = "\n".join(f"  - {fault}" for fault in self.faults)
            raise ImproperlyConfigured(f"The environment cannot be used (see .env.example):\n{lines}")
