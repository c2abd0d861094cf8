"""Who sends text messages, as everybody else sees it."""

from typing import Protocol

from django.conf import settings
from rest_framework.exceptions import APIException

from core.vendors import vendor

OFF = "Text messages are switched off here: the operator must set SMS=on and TWILIO_MESSAGING_SERVICE_SID."


class Texter(Protocol):
    name: str

    def send(self, *, to: str, text: str) -> None:
        """Hands a message to the vendor; `to` is E.164, with the plus. What is too long is cut (`lengths`).

        The vendor takes no key: where its answer is lost, a message that is tried again comes twice. Raises
        TextUnavailable, TextRefused, OptedOut.
        """


class TextUnavailable(APIException):
    """Not now, perhaps later: also what the operator must mend."""

    status_code = 503
    default_code = "sms_unavailable"
    default_detail = "Text messages are not taken now. It is tried again."
    wait = 60


class TextRefused(APIException):
    """This number never gets one: it is nobody's, a landline's, or its network takes none of ours."""

    status_code = 400
    default_code = "sms_refused"
    default_detail = "This telephone takes no text messages from here."


class OptedOut(TextRefused):
    """Whose telephone this is has answered STOP."""

    default_code = "sms_opted_out"
    default_detail = "This telephone has answered STOP, and gets no more text messages until it sends START."


def texter() -> Texter:
    """Raises NotConfigured where text messages are off."""
    found: Texter = vendor(settings.SMS, off=OFF)
    return found
