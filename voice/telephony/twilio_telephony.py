"""Telephony by Twilio."""

import logging
from decimal import Decimal
from functools import partial
from typing import Any

from twilio.base.exceptions import TwilioException, TwilioRestException

from core.twilio_client import twilio_client, twilio_errors
from voice.telephony.interface import (
    CallReport,
    Captions,
    CaptionsRefused,
    ConferenceReport,
    TelephonyRefused,
    TelephonyUnavailable,
)
from voice.telephony.times import read_time
from voice.telephony.twilio_formats import TwilioFormats, transcription

Fields = dict[str, Any]

MOST_DIGITS = 18
NOT_IN_PROGRESS = 21220
"""https://www.twilio.com/docs/api/errors/21220"""

logger = logging.getLogger(__name__)

our_errors = partial(twilio_errors, refused=TelephonyRefused, unavailable=TelephonyUnavailable)


class TwilioTelephony(TwilioFormats):
    name = "Twilio"
    is_played = False

    def __init__(
        self, *, account_sid: str, auth_token: str, api_base: str = "", region: str = "", edge: str = "", **formats: str
    ) -> None:
        super().__init__(account_sid=account_sid, auth_token=auth_token, region=region, **formats)
        self.client = twilio_client(
            account_sid=account_sid, auth_token=auth_token, api_base=api_base, region=region, edge=edge
        )

    def ring(self, *, to: str, url: str, status_callback: str, seconds: int) -> str:
        """https://www.twilio.com/docs/voice/api/call-resource#create-a-call-resource"""
        with our_errors():
            call = self.client.calls.create(
                to=to,
                from_=self.caller_id,
                url=url,
                method="POST",
                timeout=seconds,
                status_callback=status_callback,
                status_callback_method="POST",
                status_callback_event=["initiated", "completed"],
            )
            return str(call.sid)

    def end_conference(self, *, sid: str) -> bool:
        return self._end(self.client.conferences(sid))

    def announce(self, *, conference_sid: str, url: str, call_sid: str = "") -> bool:
        """https://www.twilio.com/docs/voice/api/conference-resource#update-a-conference-resource"""
        conference = self.client.conferences(conference_sid)
        listener = conference.participants(call_sid) if call_sid else conference
        with our_errors():
            try:
                listener.update(announce_url=url, announce_method="POST")
            except TwilioRestException as error:
                if error.status not in (400, 404):
                    raise
                return False
            return True

    def end_call(self, *, call_sid: str) -> bool:
        return self._end(self.client.calls(call_sid))

    def _end(self, resource: Any) -> bool:
        with our_errors():
            try:
                resource.update(status="completed")
            except TwilioRestException as error:
                if error.status not in (400, 404):  # it has ended already, or Twilio does not know it
                    raise
                return bool(error.status == 400)
            return True

    def start_captions(self, *, call_sid: str, captions: Captions) -> str:
        """https://www.twilio.com/docs/voice/api/realtime-transcription-resource"""
        fields = {name: value for name, value in transcription(captions).items() if value is not None}
        with our_errors():
            try:
                return str(self.client.calls(call_sid).transcriptions.create(**fields).sid)
            except TwilioRestException as error:
                if error.status not in (400, 404):
                    raise
                logger.warning("Twilio writes down nothing of call %s: error %s", call_sid, error.code)
                raise CaptionsRefused(is_gone=error.status == 404 or error.code == NOT_IN_PROGRESS) from error

    def stop_captions(self, *, call_sid: str, sid: str) -> None:
        with our_errors():
            try:
                self.client.calls(call_sid).transcriptions(sid).update(status="stopped")
            except TwilioRestException as error:
                if error.status not in (400, 404):  # it is over, or its call is
                    raise

    def mute(self, *, conference_sid: str, call_sid: str, muted: bool) -> bool:
        """https://www.twilio.com/docs/voice/api/conference-participant-resource#update-a-participant-resource"""
        with our_errors():
            try:
                self.client.conferences(conference_sid).participants(call_sid).update(muted=muted)
            except TwilioRestException as error:
                if error.status not in (400, 404):  # it has left, or its conference has ended
                    raise
                return False
            return True

    def conference(self, *, sid: str) -> ConferenceReport | None:
        with our_errors():
            found = self._fetch(f"Conferences/{sid}.json")
            if found is None:
                return None
            if found.get("status") == "completed":
                return ConferenceReport(completed=True, end_time=read_time(found.get("date_updated")))
            people = self.client.conferences(sid).participants.list()
            return ConferenceReport(
                completed=False,
                on=frozenset(each.call_sid for each in people),
                muted={each.call_sid: each.muted for each in people if isinstance(each.muted, bool)},
            )

    def call(self, *, sid: str, duration: int = 0) -> CallReport | None:
        with our_errors():
            found = self._fetch(f"Calls/{sid}.json")
            return None if found is None else call_report(found)

    def _fetch(self, resource: str) -> Fields | None:
        """The fields as Twilio wrote them; None where it does not know the resource.

        The SDK's own reader reads times in its own way, and fails on one that is none.
        """
        try:
            found = self.client.api.v2010.fetch("GET", f"/Accounts/{self.account_sid}/{resource}")
        except TwilioRestException as error:
            if error.status != 404:
                raise
            return None
        if not isinstance(found, dict):
            raise TwilioException("Twilio wrote JSON that is no resource")
        return found


def call_report(found: Fields) -> CallReport:
    """https://www.twilio.com/docs/voice/api/call-resource#call-properties"""
    price, duration = found.get("price"), found.get("duration")
    unit = str(found.get("price_unit") or "USD").upper()
    return CallReport(
        status=str(found.get("status")),
        duration=seconds(duration),
        duration_told="" if duration is None else str(duration),
        price_micros=micros(price) if unit == "USD" else None,
        price_unit=unit,
        price_told="" if price is None else str(price),
        start_time=read_time(found.get("start_time")),
        end_time=read_time(found.get("end_time")),
    )


def seconds(told: Any) -> int | None:
    """0 where Twilio wrote none; None where it wrote something else than a whole number."""
    text = "0" if told is None else str(told)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else None


def micros(told: Any) -> int | None:
    """A price in dollars; None where there is none, or it is no number."""
    try:
        price = Decimal(str(told))
    except ArithmeticError:
        return None
    is_price = price.is_finite() and price.adjusted() < MOST_DIGITS  # the digits of a larger one would fill the memory
    return int(price * 1_000_000) if is_price else None
