"""What sends codes to telephones and compares them, as everybody else sees it."""

import math
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from django.conf import settings
from rest_framework.exceptions import APIException

from core.throttle import TooManyRequests
from core.vendors import vendor

LASTS = timedelta(minutes=10)  # https://www.twilio.com/docs/verify/api/rate-limits-and-timeouts


class Started(NamedTuple):
    sid: str
    """The service's id of the code."""
    expires_at: datetime


class Verification(Protocol):
    name: str

    def start(self, *, number: str, channel: str, now: datetime) -> Started:
        """Sends a code to a number (E.164) by `sms` or `call`. While one counts it may be the same again, under its id,
        and end when it would have ended. Raises what stands below."""

    def check(self, *, sid: str, code: str) -> bool:
        """Whether this is the code. Raises CodeExpired for one that counts no more, VerificationUnavailable."""

    def code_of(self, sid: str) -> str:
        """The code itself, where nothing is really sent; else nobody here knows it, and it is empty."""


class NumberRefused(APIException):
    status_code = 400
    default_code = "number_refused"
    default_detail = "No code can be sent to this number. Look whether it is written right, or use another telephone."


class NoTextMessages(NumberRefused):
    default_code = "no_text_messages"
    default_detail = "This telephone takes no text messages. Ask for a call instead: a voice says the code."


class NumberBlocked(NumberRefused):
    default_code = "number_blocked"
    default_detail = (
        "Codes cannot be sent to numbers like this one at the moment. "
        "Try again in some hours, or use another telephone."
    )


class SentTooOften(TooManyRequests):
    """The same words for the person's limit and for the number's: nobody learns who else has asked."""

    default_code = "codes_sent_too_often"
    default_detail = "Several codes were sent already, and no other is sent for a while."
    extra_detail_singular = "Try again in {wait} minute."
    extra_detail_plural = "Try again in {wait} minutes."

    def __init__(self, seconds: float = LASTS.total_seconds()) -> None:
        super().__init__(math.ceil(seconds / 60))
        self.wait: float = seconds


class CodeWrong(APIException):
    status_code = 400
    default_code = "code_wrong"
    default_detail = "This is not the code. Look at it once more, and type all its digits."


class CodeExpired(APIException):
    status_code = 410
    default_code = "code_expired"
    default_detail = "This code counts no more. Ask for a new one."


class VerificationUnavailable(APIException):
    status_code = 503
    default_code = "verification_unavailable"
    default_detail = "Codes cannot be sent or compared at this moment. Nothing is lost: try again in a minute."
    wait = 10


def verification() -> Verification:
    """The one that the settings name. Raises NotConfigured where there is none."""
    off = "Telephone numbers cannot be verified here: the operator must set VERIFY_SERVICE_SID."
    service: Verification = vendor(settings.VERIFICATION, off=off)
    return service
