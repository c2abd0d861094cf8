"""Channels that reach each device by itself, over HTTP, with no vendor in between that keeps bindings."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from enum import Enum, auto
from typing import ClassVar, NamedTuple
from uuid import uuid4

import httpx2

from core.deadline import time_left
from groups.models import Device
from groups.notifications.channels import ChannelUnavailable, OwnBindings, Sent

logger = logging.getLogger(__name__)

AT_ONCE = 20
"""Devices that are told at the same time."""
TIMEOUT = 5.0  # seconds, for each device
LIVES = 3600
"""Seconds for which a vendor keeps a notification for a device that is off: the call may last so long."""


class Notification(NamedTuple):
    body: str
    group_id: int

    @property
    def collapses(self) -> str:
        """A device that has not shown the one before shows this one alone: by group."""
        return f"group-{self.group_id}"


class Fate(Enum):
    TOLD = auto()
    GONE = auto()
    """The vendor says that there is no such device any more."""
    MISSED = auto()
    """Not now, perhaps later."""
    REFUSED = auto()
    """Not like this, however often: what is wrong is ours, or the device's, to mend."""


class DirectChannel(OwnBindings, ABC):
    name: ClassVar[str]
    kinds: ClassVar[Sequence[str]]
    keeps_bindings = False
    client: httpx2.Client

    def serves(self, binding_type: str) -> bool:
        return binding_type in self.kinds

    def send(self, *, devices: Sequence[Device], body: str, group_id: int) -> Sent:
        """Each device is tried once. Raises ChannelUnavailable where none could be told, and some may be later."""
        notification = Notification(body, group_id)
        try:
            self.prepare(timeout=time_left(TIMEOUT))
        except (httpx2.HTTPError, TimeoutError, KeyError, TypeError, ValueError) as error:
            logger.warning("%s cannot be signed in to: %s", self.name, type(error).__name__)
            raise ChannelUnavailable from error
        with ThreadPoolExecutor(min(AT_ONCE, len(devices))) as pool:  # each in a copy of this context: the deadline's
            futures = [pool.submit(copy_context().run, self.tell, device, notification) for device in devices]
        by_fate: dict[Fate, list[Device]] = {fate: [] for fate in Fate}
        for device, future in zip(devices, futures, strict=True):
            by_fate[future.result()].append(device)
        if by_fate[Fate.MISSED] and not by_fate[Fate.TOLD]:
            raise ChannelUnavailable
        if refused := by_fate[Fate.REFUSED]:
            logger.warning("%s refused %s of %s notifications", self.name, len(refused), len(devices))
        return Sent(f"NT{uuid4().hex}", gone=by_fate[Fate.GONE], missed=by_fate[Fate.MISSED])

    def tell(self, device: Device, notification: Notification) -> Fate:
        try:
            answer = self.post(device, notification, timeout=time_left(TIMEOUT))
        except (httpx2.HTTPError, TimeoutError) as error:
            logger.warning("%s failed: %s", self.name, type(error).__name__)
            return Fate.MISSED
        fate = Fate.TOLD if answer.is_success else self.fate(device, answer)
        if fate in (Fate.MISSED, Fate.REFUSED):
            logger.warning("%s answered %s, %s", self.name, answer.status_code, self.reason(answer))
        return fate

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


def word(value: object) -> str:
    """A code such as "BadDeviceToken"; empty for what is none."""
    return value if isinstance(value, str) and value.isascii() and value.replace("_", "").isalnum() else ""


def client(*, base_url: str = "", http1: bool = True) -> httpx2.Client:
    """Over HTTP/2 where the vendor speaks it. Follows no redirect, and asks no proxy."""
    limits = httpx2.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE)
    return httpx2.Client(base_url=base_url, http1=http1, http2=True, limits=limits, trust_env=False)
