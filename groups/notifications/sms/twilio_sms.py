"""Text messages by Twilio. https://www.twilio.com/docs/messaging/api/message-resource

By a Messaging Service, and not by a number: senders are registered with the networks by service, and who answers STOP
to one of its numbers gets nothing from the others either.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from twilio.base.exceptions import TwilioRestException

from core.twilio_client import twilio_client, twilio_errors
from groups.notifications.sms.interface import OptedOut, TextRefused, TextUnavailable
from groups.notifications.sms.lengths import shortened

logger = logging.getLogger(__name__)

WAITS = 4 * 3600
"""Seconds for which a message waits at Twilio for its turn: later it is no news."""
STOPPED = 21610
OF_THE_NUMBER = frozenset(
    (
        *(21211, 21214, 21217, 21265),  # no number, or nobody's
        *(21612, 21614),  # reached by no sender of ours; a landline's
        *(30003, 30004, 30005, 30006, 30007),  # off, blocked, unknown, a landline's, filtered by its network
    )
)
"""What no second try changes. https://www.twilio.com/docs/api/errors"""


@contextmanager
def our_errors() -> Iterator[None]:
    """What else Twilio says is the operator's to mend, or over some time."""
    with twilio_errors(refused=TextUnavailable, unavailable=TextUnavailable):
        try:
            yield
        except TwilioRestException as error:
            if (known := fault_of(error.code)) is None:
                raise
            logger.warning("Twilio answered %s, error %s", error.status, error.code)
            raise known from error


def fault_of(code: int | None) -> type[TextRefused] | None:
    if code == STOPPED:
        return OptedOut
    return TextRefused if code in OF_THE_NUMBER else None


class TwilioSMS:
    name = "Twilio"

    def __init__(
        self, *, account_sid: str, auth_token: str, twilio_messaging_service_sid: str, api_base: str = "", **place: str
    ) -> None:
        client = twilio_client(account_sid=account_sid, auth_token=auth_token, api_base=api_base, **place)
        self.messages, self.service_sid = client.messages, twilio_messaging_service_sid

    def send(self, *, to: str, text: str) -> None:
        with our_errors():
            sent = self.messages.create(
                to=to,
                body=shortened(text),
                messaging_service_sid=self.service_sid,
                validity_period=WAITS,
                smart_encoded=True,  # curly quotes become straight ones, and the message half as long
            )
        if known := fault_of(sent.error_code):
            raise known
