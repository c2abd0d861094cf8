"""The ways to reach a device, each behind one interface: a module here is a way, and the settings say which are on."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from django.conf import settings
from rest_framework.exceptions import APIException

from core.vendors import NotConfigured, vendor
from groups.models import Device


@dataclass(frozen=True, slots=True)
class Binding:
    """A device as the channel keeps it."""

    sid: str
    endpoint: str


class OwnBindings:
    """Of a channel that keeps none: our own row is all there is."""

    def register_binding(
        self, *, identity: str, address: str, binding_type: str, endpoint: str, tags: Sequence[str]
    ) -> Binding:
        sid = hashlib.blake2b(f"{binding_type} {address}".encode(), digest_size=16).hexdigest()
        return Binding(sid=f"BS{sid}", endpoint=endpoint)

    def has_binding(self, *, sid: str) -> bool:
        return True

    def delete_binding(self, *, sid: str) -> None:
        """There is nothing to do."""


class Missed(NamedTuple):
    """One that could not be told now, and may be later."""

    device: Device
    wait: float | None = None
    """Seconds after which the vendor wants to be asked again; None where it does not say."""


class Sent(NamedTuple):
    """What became of the devices. Who is named in none of these was told."""

    sid: str
    """The channel's id of what it sent."""
    gone: Sequence[Device] = ()
    """Those of which the channel says that they are no more."""
    refused: Sequence[Device] = ()
    """Those that it does not take like this, however often."""
    missed: Sequence[Missed] = ()


class Channel(Protocol):
    name: str
    keeps_bindings: bool
    """Whether the channel itself knows which devices there are, and can be asked."""

    def serves(self, binding_type: str) -> bool: ...

    def register_binding(
        self, *, identity: str, address: str, binding_type: str, endpoint: str, tags: Sequence[str]
    ) -> Binding: ...

    def has_binding(self, *, sid: str) -> bool:
        """Whether the channel still keeps a binding: it drops those whose device is gone."""

    def delete_binding(self, *, sid: str) -> None:
        """One that is gone already changes nothing."""

    def send(self, *, devices: Sequence[Device], body: str, group_id: int | None) -> Sent:
        """Tries each of the devices once, of which there is at least one. Raises ChannelUnavailable or ChannelRefused
        where it could not be asked about any."""


class ChannelUnavailable(APIException):
    status_code = 503
    default_code = "telephony_unavailable"
    default_detail = "The telephone service does not answer. Nothing is lost: try again."
    wait = 10


class ChannelRefused(APIException):
    status_code = 400
    default_code = "telephony_refused"
    default_detail = "The telephone service does not accept this."


def channels() -> list[Channel]:
    """Those that the settings name. Raises NotConfigured where there is none."""
    if not settings.NOTIFICATIONS:
        raise NotConfigured(f"Notifications are switched off here: {settings.HOW_TO_NOTIFY}")
    return [vendor(backend) for backend in settings.NOTIFICATIONS]


def kinds_by_channel() -> Iterator[tuple[Channel, set[str]]]:
    """Which kinds of devices are whose: the first that serves a kind has it."""
    taken: set[str] = set()
    for channel in channels():
        kinds = {kind for kind in Device.BindingType.values if channel.serves(kind)} - taken
        taken |= kinds
        yield channel, kinds


def channel_for(binding_type: str) -> Channel:
    """Raises NotConfigured where none reaches devices of this kind."""
    for channel, kinds in kinds_by_channel():
        if binding_type in kinds:
            return channel
    raise NotConfigured(f"Devices of the kind {binding_type} cannot be notified here: {settings.HOW_TO_NOTIFY}")
