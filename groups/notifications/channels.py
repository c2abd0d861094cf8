"""The ways to reach a device, each behind one interface. `twilio_notify.py` and `sandbox_notify.py` are two of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from django.conf import settings
from rest_framework.exceptions import APIException

from core.vendors import NotConfigured, vendor
from groups.models import Device


@dataclass(frozen=True, slots=True)
class Binding:
    """A device as the channel keeps it."""

    sid: str
    endpoint: str


class Channel(Protocol):
    name: str

    def serves(self, binding_type: str) -> bool: ...

    def register_binding(
        self, *, identity: str, address: str, binding_type: str, endpoint: str, tags: Sequence[str]
    ) -> Binding: ...

    def has_binding(self, *, sid: str) -> bool:
        """Whether the channel still keeps a binding: it drops those whose device is gone."""

    def delete_binding(self, *, sid: str) -> None:
        """One that is gone already changes nothing."""

    def send(self, *, devices: Sequence[Device], body: str, group_id: int) -> str:
        """Tells the devices, of which there is at least one; the channel's id of what it sent."""


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
        missing = ("SERVICE_SID",) if settings.TELEPHONY else (*settings.TWILIO_NAMES, "SERVICE_SID")
        raise NotConfigured(f"Notifications are switched off here: the operator must set {', '.join(missing)}.")
    return [vendor(backend) for backend in settings.NOTIFICATIONS]


def channel_for(binding_type: str) -> Channel:
    """The one that reaches devices of this kind."""
    return next(each for each in channels() if each.serves(binding_type))
