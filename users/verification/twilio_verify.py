"""Codes by Twilio Verify. https://www.twilio.com/docs/verify/api

Twilio knows one code of a number at a time, whoever asks for it. It counts for ten minutes from when it was first sent,
until it was typed in right once, or wrong five times.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from rest_framework.exceptions import APIException
from twilio.base.exceptions import TwilioRestException

from core.twilio_client import twilio_client, twilio_errors
from users.verification.interface import (
    LASTS,
    CodeExpired,
    CodeWrong,
    NoTextMessages,
    NumberBlocked,
    NumberRefused,
    SentTooOften,
    Started,
    VerificationUnavailable,
)

logger = logging.getLogger(__name__)

NOT_SENT: Mapping[int, type[APIException]] = {
    60200: NumberRefused,  # an invalid parameter: of ours only the number can be
    60203: SentTooOften,  # five times in ten minutes
    60205: NoTextMessages,
    60212: SentTooOften,  # several requests for one number at once
    60410: NumberBlocked,  # by Fraud Guard, for some hours: https://www.twilio.com/docs/errors/60410
    60605: NumberBlocked,  # a country that the operator has not allowed
}
NOT_COMPARED: Mapping[int, type[APIException]] = {60200: CodeWrong, 60202: CodeExpired}
"""https://www.twilio.com/docs/api/errors"""


@contextmanager
def our_errors(by_code: Mapping[int, type[APIException]], *, gone: type[APIException]) -> Iterator[None]:
    """`gone` is raised where Twilio knows no such thing."""
    with twilio_errors(refused=NumberRefused, unavailable=VerificationUnavailable):
        try:
            yield
        except TwilioRestException as error:
            known = gone if error.status == 404 else by_code.get(error.code or 0)
            if known is None:
                raise
            logger.warning("Twilio Verify answered %s, error %s", error.status, error.code)
            raise known from error


class TwilioVerify:
    name = "Twilio"

    def __init__(
        self, *, account_sid: str, auth_token: str, verify_service_sid: str, api_base: str = "", **place: str
    ) -> None:
        client = twilio_client(account_sid=account_sid, auth_token=auth_token, api_base=api_base, **place)
        self.service = client.verify.v2.services(verify_service_sid)

    def start(self, *, number: str, channel: str, now: datetime) -> Started:
        """https://www.twilio.com/docs/verify/api/verification#start-new-verification"""
        with our_errors(NOT_SENT, gone=VerificationUnavailable):  # it is the service that is not there
            started = self.service.verifications.create(to=number, channel=channel)
        begun = started.date_created if isinstance(started.date_created, datetime) else now
        return Started(str(started.sid), min(begun, now) + LASTS)

    def check(self, *, sid: str, code: str) -> bool:
        """https://www.twilio.com/docs/verify/api/verification-check"""
        with our_errors(NOT_COMPARED, gone=CodeExpired):
            checked = self.service.verification_checks.create(verification_sid=sid, code=code)
        return bool(checked.status == "approved")

    def code_of(self, sid: str) -> str:
        return ""
