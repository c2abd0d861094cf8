"""Telephony by Twilio."""

from decimal import Decimal
from functools import partial

from twilio.base.exceptions import TwilioException, TwilioRestException

from core.twilio_client import twilio_client, twilio_errors
from voice.telephony.interface import CallReport, ConferenceReport, TelephonyRefused, TelephonyUnavailable
from voice.telephony.twilio_formats import TwilioFormats

our_errors = partial(twilio_errors, refused=TelephonyRefused, unavailable=TelephonyUnavailable)


class TwilioTelephony(TwilioFormats):
    name = "Twilio"

    def __init__(self, *, account_sid: str, auth_token: str, api_base: str = "", **formats: str) -> None:
        super().__init__(account_sid=account_sid, auth_token=auth_token, **formats)
        self.client = twilio_client(account_sid=account_sid, auth_token=auth_token, api_base=api_base)

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
