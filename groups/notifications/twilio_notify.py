"""Push notifications by Twilio Notify, which ends on 31 October 2027. https://www.twilio.com/docs/notify"""

from collections.abc import Sequence
from functools import partial

from rest_framework.exceptions import APIException
from twilio.base.exceptions import TwilioRestException

from core.twilio_client import twilio_client, twilio_errors
from groups.models import Device
from groups.notifications.channels import Binding, ChannelRefused, ChannelUnavailable, Missed, Sent

IDENTITIES_A_CALL = 20  # https://www.twilio.com/docs/notify/api/notification-resource

our_errors = partial(twilio_errors, refused=ChannelRefused, unavailable=ChannelUnavailable)


KINDS = (Device.BindingType.APN, Device.BindingType.FCM, Device.BindingType.GCM)


class TwilioNotify:
    name = "Twilio"
    keeps_bindings = True

    def __init__(
        self, *, account_sid: str, auth_token: str, service_sid: str, api_base: str = "", **place: str
    ) -> None:
        client = twilio_client(account_sid=account_sid, auth_token=auth_token, api_base=api_base, **place)
        self.service = client.notify.v1.services(service_sid)

    def serves(self, binding_type: str) -> bool:
        return binding_type in KINDS

    def register_binding(
        self, *, identity: str, address: str, binding_type: str, endpoint: str, tags: Sequence[str]
    ) -> Binding:
        """https://www.twilio.com/docs/notify/api/binding-resource"""
        with our_errors():
            binding = self.service.bindings.create(
                identity=identity, address=address, binding_type=binding_type, endpoint=endpoint, tag=list(tags)
            )
        return Binding(sid=str(binding.sid), endpoint=binding.endpoint or endpoint)

    def has_binding(self, *, sid: str) -> bool:
        with our_errors():
            try:
                self.service.bindings(sid).fetch()
            except TwilioRestException as error:
                if error.status != 404:
                    raise
                return False
        return True

    def delete_binding(self, *, sid: str) -> None:
        with our_errors():
            try:
                self.service.bindings(sid).delete()
            except TwilioRestException as error:
                if error.status != 404:
                    raise

    def send(self, *, devices: Sequence[Device], body: str, group_id: int | None) -> Sent:
        """By person: one who could not be told now is missed with all their devices. Where nobody was told, and some
        may be later, it raises ChannelUnavailable."""
        identities = sorted({device.identity for device in devices})
        sids, refused, missed, failures = [], set[str](), set[str](), list[APIException]()
        for start in range(0, len(identities), IDENTITIES_A_CALL):
            some = identities[start : start + IDENTITIES_A_CALL]
            try:
                sids.append(self.notify(some, body))
            except (ChannelRefused, ChannelUnavailable) as error:
                failures.append(error)
                (refused if isinstance(error, ChannelRefused) else missed).update(some)
        if failures and not sids:
            raise next((each for each in failures if isinstance(each, ChannelUnavailable)), failures[0])
        return Sent(
            sids[0],
            refused=[device for device in devices if device.identity in refused],
            missed=[Missed(device) for device in devices if device.identity in missed],
        )

    def notify(self, identities: Sequence[str], body: str) -> str:
        with our_errors():
            return str(self.service.notifications.create(identity=identities, body=body).sid)
