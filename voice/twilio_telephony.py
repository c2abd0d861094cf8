"""Telephony by Twilio."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from requests import RequestException
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from users.deadline import time_left
from voice.telephony import Binding, CallReport, ConferenceReport, TelephonyRefused, TelephonyUnavailable
from voice.twilio_formats import TwilioFormats

logger = logging.getLogger(__name__)

TIMEOUT = 5.0  # seconds; the SDK's own default is none
IDENTITIES_A_CALL = 20  # https://www.twilio.com/docs/notify/api/notification-resource


class BoundedHttpClient(TwilioHttpClient):  # type: ignore[misc]  # the SDK carries no types
    """Gives every call a timeout, and can point the SDK, which knows no base URL, at another host."""

    def __init__(self, api_base: str) -> None:
        super().__init__(timeout=TIMEOUT, max_retries=1)
        self.api_base = api_base

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:
        if self.api_base:
            parts = urlsplit(url)
            url = f"{self.api_base}{parts.path}{'?' + parts.query if parts.query else ''}"
        return super().request(method, url, *args, **{**kwargs, "timeout": time_left(TIMEOUT)})


class TwilioTelephony(TwilioFormats):
    name = "Twilio"

    def __init__(
        self, *, account_sid: str, auth_token: str, service_sid: str, api_base: str = "", **formats: str
    ) -> None:
        super().__init__(account_sid=account_sid, auth_token=auth_token, **formats)
        self.client = Client(account_sid, auth_token, http_client=BoundedHttpClient(api_base))
        self.service = self.client.notify.v1.services(service_sid)

    def register_binding(
        self, *, identity: str, address: str, binding_type: str, endpoint: str, tags: Sequence[str]
    ) -> Binding:
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

    def notify(self, *, identities: Sequence[str], body: str, group_id: int) -> str:
        sids = []
        for start in range(0, len(identities), IDENTITIES_A_CALL):
            some = list(identities[start : start + IDENTITIES_A_CALL])
            with our_errors():
                sids.append(str(self.service.notifications.create(identity=some, body=body).sid))
        return sids[0]

    def end_conference(self, *, group_id: int) -> None:
        with our_errors():
            for status in ("init", "in-progress"):  # one person alone has not started it yet
                for conference in self.client.conferences.list(friendly_name=str(group_id), status=status):
                    conference.update(status="completed")

    def end_call(self, *, call_sid: str) -> None:
        with our_errors():
            try:
                self.client.calls(call_sid).update(status="completed")
            except TwilioRestException as error:
                if error.status not in (400, 404):  # it has ended already, or never was
                    raise

    def conference(self, *, sid: str) -> ConferenceReport:
        with our_errors():
            try:
                if self.client.conferences(sid).fetch().status == "completed":
                    return ConferenceReport(completed=True)
                people = self.client.conferences(sid).participants.list()
                return ConferenceReport(completed=False, on=frozenset(each.call_sid for each in people))
            except TwilioRestException as error:
                if error.status != 404:
                    raise
                return ConferenceReport(completed=True)

    def call(self, *, sid: str, duration: int = 0) -> CallReport:
        with our_errors():
            try:
                call = self.client.calls(sid).fetch()
            except TwilioRestException as error:
                if error.status != 404:
                    raise
                return CallReport(status="completed")
            try:
                price = None if call.price is None else int(Decimal(call.price) * 1_000_000)
                return CallReport(status=str(call.status), duration=int(call.duration or 0), price_micros=price)
            except (ArithmeticError, ValueError) as error:
                raise TwilioException(f"Twilio wrote a number that is none: {call.price} {call.duration}") from error


@contextmanager
def our_errors() -> Iterator[None]:
    """Twilio's errors as ours. https://www.twilio.com/docs/api/errors"""
    try:
        yield
    except (TwilioRestException, TwilioServiceException) as error:
        logger.warning("Twilio answered %s, error %s", error.status, error.code)
        if error.status in (400, 404):
            raise TelephonyRefused from error
        raise TelephonyUnavailable from error
    except (RequestException, TwilioException, TimeoutError, ValueError) as error:  # ValueError: a 200 that is no JSON
        logger.warning("Twilio failed: %s", type(error).__name__)
        raise TelephonyUnavailable from error
