"""Channels that reach each device by itself, over HTTP, with no vendor in between that keeps bindings."""

import logging
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from functools import cache
from hashlib import blake2b
from ssl import SSLContext
from time import time
from typing import Any, ClassVar, NamedTuple
from uuid import uuid4

import httpx2

from core.deadline import time_left
from groups.models import Device
from groups.notifications.channels import ChannelUnavailable, Missed, OwnBindings, Sent

logger = logging.getLogger(__name__)

AT_ONCE = 20
"""Devices that are told at the same time."""
TIMEOUT = 5.0  # seconds, for each device
LIVES = 3600
"""Seconds for which a vendor keeps a notification for a device that is off: the call may last so long."""


class Notification(NamedTuple):
    body: str
    group_id: int | None

    @property
    def collapses(self) -> str:
        """A device that has not shown the one before shows this one alone: by group, or by what is said."""
        if self.group_id is None:
            return f"words-{blake2b(self.body.encode(), digest_size=16).hexdigest()}"
        return f"group-{self.group_id}"

    def data(self) -> dict[str, int]:
        """What an app is told beside the words."""
        return {} if self.group_id is None else {"groupId": self.group_id}


class Fate(Enum):
    TOLD = auto()
    GONE = auto()
    """The vendor says that there is no such device any more."""
    MISSED = auto()
    """Not now, perhaps later."""
    REFUSED = auto()
    """Not like this, however often: what is wrong is ours, or the device's, to mend."""


class Clients:
    """HTTP clients of which each is one thread's at a time, over HTTP/2 where the vendor speaks it. They follow no
    redirect, and ask no proxy.

    httpx2 says that threads may share one, and over HTTP/2 they get each other's streams:
    https://github.com/pydantic/httpx2/pull/1153
    """

    def __init__(self, *, base_url: str = "", http1: bool = True) -> None:
        self.base_url, self.http1 = base_url, http1
        self.idle: deque[httpx2.Client] = deque()

    def post(self, url: str, **request: Any) -> httpx2.Response:
        """Raises httpx2.HTTPError."""
        try:
            client = self.idle.pop()  # the one that was busy last: its connection is the one that is still open
        except IndexError:
            client = self.new()
        try:
            return client.post(url, **request)
        finally:
            self.idle.append(client)

    def new(self) -> httpx2.Client:
        limits, trust = httpx2.Limits(max_keepalive_connections=2), trusted(http1=self.http1)
        return httpx2.Client(
            base_url=self.base_url, http1=self.http1, http2=True, limits=limits, trust_env=False, verify=trust
        )

    def close(self) -> None:
        while self.idle:
            self.idle.pop().close()


@cache
def trusted(*, http1: bool) -> SSLContext:
    """Whom the machine trusts, read once: to read all its certificates takes longer than a notification. Each kind of
    client has its own, for what a client speaks is written into it.
    """
    return httpx2.create_ssl_context(trust_env=False)


class DirectChannel(OwnBindings, ABC):
    name: ClassVar[str]
    kinds: ClassVar[Sequence[str]]
    keeps_bindings = False
    clients: Clients

    def serves(self, binding_type: str) -> bool:
        return binding_type in self.kinds

    def send(self, *, devices: Sequence[Device], body: str, group_id: int | None) -> Sent:
        """Each device is tried once. Raises ChannelUnavailable where the vendor does not let us in."""
        notification = Notification(body, group_id)
        try:
            self.prepare(timeout=time_left(TIMEOUT))
        except (httpx2.HTTPError, TimeoutError, KeyError, TypeError, ValueError) as error:
            logger.warning("%s cannot be signed in to: %s", self.name, type(error).__name__)
            raise ChannelUnavailable from error
        with ThreadPoolExecutor(min(AT_ONCE, len(devices))) as pool:  # each in a copy of this context: the deadline's
            futures = [pool.submit(copy_context().run, self.tell, device, notification) for device in devices]
        fates = [(device, *future.result()) for device, future in zip(devices, futures, strict=True)]
        by_fate = {fate: [device for device, its, _ in fates if its is fate] for fate in Fate}
        if refused := by_fate[Fate.REFUSED]:
            logger.warning("%s refused %s of %s notifications", self.name, len(refused), len(devices))
        missed = [Missed(device, wait) for device, its, wait in fates if its is Fate.MISSED]
        return Sent(f"NT{uuid4().hex}", gone=by_fate[Fate.GONE], refused=refused, missed=missed)

    def tell(self, device: Device, notification: Notification) -> tuple[Fate, float | None]:
        """What becomes of it; and where it was missed, after how many seconds the vendor wants to be asked again."""
        try:
            answer = self.post(device, notification, timeout=time_left(TIMEOUT))
        except (httpx2.HTTPError, TimeoutError) as error:
            logger.warning("%s failed: %s", self.name, type(error).__name__)
            return Fate.MISSED, None
        except Exception as error:  # of one device: the others are told all the same
            logger.error("%s cannot tell a device: %s", self.name, type(error).__name__)
            return Fate.REFUSED, None
        fate = Fate.TOLD if answer.is_success else self.fate(device, answer)
        if fate in (Fate.MISSED, Fate.REFUSED):
            logger.warning("%s answered %s, %s", self.name, answer.status_code, self.reason(answer))
        return fate, retry_after(answer)

    def prepare(self, *, timeout: float) -> None:  # most need nothing
        """What is needed once for many devices. Raises httpx2.HTTPError, and what an answer that is none raises."""

    @abstractmethod
    def post(self, device: Device, notification: Notification, *, timeout: float) -> httpx2.Response:
        """Raises httpx2.HTTPError."""

    @abstractmethod
    def fate(self, device: Device, answer: httpx2.Response) -> Fate:
        """What an answer means that is no success."""

    def reason(self, answer: httpx2.Response) -> str:
        """The vendor's own word for it, of its documented ones; never what it quotes."""
        return ""


def may_do_later(status: int) -> bool:
    return status in (401, 408, 425, 429) or status >= 500


def retry_after(answer: httpx2.Response) -> float | None:
    """Seconds. https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3"""
    said = answer.headers.get("retry-after", "").strip()
    if said.isascii() and said.isdigit():
        return float(said[:9])
    try:
        at = parsedate_to_datetime(said)
    except ValueError:
        return None
    return max(0.0, at.replace(tzinfo=at.tzinfo or UTC).timestamp() - time())


def word(value: object) -> str:
    """A code such as "BadDeviceToken"; empty for what is none."""
    return value if isinstance(value, str) and value.isascii() and value.replace("_", "").isalnum() else ""
