"""The ways to reach a device. Twilio Notify is one; it ends on 31 October 2027, and another can stand beside it here.

https://www.twilio.com/docs/notify
"""

from collections.abc import Sequence
from typing import Protocol

from voice.models import Device
from voice.telephony import telephony


class Channel(Protocol):
    def serves(self, device: Device) -> bool: ...

    def send(self, *, devices: Sequence[Device], body: str, group_id: int) -> str:
        """Tells the devices, of which there is at least one; the channel's id of what it sent."""


class TwilioNotify:
    def serves(self, device: Device) -> bool:
        return device.binding_type in Device.BindingType.values

    def send(self, *, devices: Sequence[Device], body: str, group_id: int) -> str:
        identities = sorted({device.identity for device in devices})
        return telephony().notify(identities=identities, body=body, group_id=group_id)


CHANNELS: tuple[Channel, ...] = (TwilioNotify(),)
