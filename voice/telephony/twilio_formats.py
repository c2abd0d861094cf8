"""Twilio's formats that cross no network: access tokens, TwiML and webhook signatures."""

import logging
import time
from collections.abc import Mapping
from typing import Any

from twilio.jwt.access_token import AccessToken
from twilio.jwt.access_token.grants import VoiceGrant
from twilio.request_validator import RequestValidator
from twilio.twiml import TwiML
from twilio.twiml.voice_response import VoiceResponse

from core.conference_names import conference_name
from voice.telephony.interface import Admission, Announce, Captions, Dial, Gather, Say

logger = logging.getLogger(__name__)

HOUR = 3600
EARLY = 60
"""So many seconds before its making is a token valid: Twilio's clock may be behind ours."""


class TwilioFormats:
    """Shared by the real telephony and the sandbox: the same tokens and TwiML, signed with other keys."""

    def __init__(
        self,
        *,
        account_sid: str,
        api_key: str,
        api_key_secret: str,
        app_sid: str,
        auth_token: str,
        caller_id: str,
        push_credential_sid: str = "",
        auth_token_secondary: str = "",
        region: str = "",
    ) -> None:
        """With `auth_token_secondary`, the one that is going out of use while another takes its place, its signatures
        count too. https://www.twilio.com/docs/iam/api/authtoken
        """
        self.account_sid, self.api_key, self.api_key_secret = account_sid, api_key, api_key_secret
        self.app_sid, self.push_credential_sid, self.caller_id = app_sid, push_credential_sid, caller_id
        self.region = region
        self.validators = [RequestValidator(token) for token in (auth_token, auth_token_secondary) if token]

    def access_token(self, *, identity: str) -> str:
        """https://www.twilio.com/docs/iam/access-tokens"""
        grant = VoiceGrant(
            outgoing_application_sid=self.app_sid,
            push_credential_sid=self.push_credential_sid or None,
            incoming_allow=True,
        )
        token = AccessToken(
            self.account_sid,
            self.api_key,
            self.api_key_secret,
            grants=[grant],
            identity=identity,
            nbf=int(time.time()) - EARLY,
            ttl=HOUR,
            region=self.region or None,
        )
        return str(token.to_jwt())

    def is_signed(self, *, url: str, params: Mapping[str, str], signature: str) -> bool:
        """https://www.twilio.com/docs/usage/security#validating-requests"""
        try:
            return any(validator.validate(url, params, signature) for validator in self.validators)
        except Exception:  # the SDK raises on what it did not expect, and a forger sends exactly that
            logger.warning("A Twilio signature could not be checked")
            return False

    def answer(self, admission: Admission | Announce) -> str:
        response = VoiceResponse()
        match admission:
            case Dial():
                self._dial(response, admission)
            case Gather():
                gather(response, admission)
            case Say():
                speak(response, admission.sentences, admission.language, times=admission.times)
                response.hangup()
            case Announce():
                speak(response, admission.sentences, admission.language, times=admission.times)
        return str(response)

    def _dial(self, response: VoiceResponse, dial: Dial) -> None:
        """https://www.twilio.com/docs/voice/twiml/conference. Twilio asks the action by whatever end the conference is
        left; who left it by * is on the line still.
        """
        speak(response, dial.greeting, dial.language)
        if dial.captions:
            response.start().transcription(**transcription(dial.captions))
        star = {"hangup_on_star": True, "action": dial.keypad, "method": "POST"} if dial.keypad else {}
        response.dial(caller_id=self.caller_id, time_limit=dial.time_limit, **star).conference(
            conference_name(dial.group_id),
            participant_label=dial.participant_label or None,
            muted=dial.muted or None,
            status_callback=dial.status_callback,
            status_callback_event="start end join leave mute hold announcement",
            status_callback_method="POST",
            jitter_buffer_size="small",
        )


def transcription(captions: Captions) -> dict[str, Any]:
    """The same words for TwiML and for REST: https://www.twilio.com/docs/voice/twiml/transcription

    The inbound track is the person whose phone it is; the other one is everybody else.
    """
    return {
        "track": "inbound_track",
        "status_callback_url": captions.callback,
        "status_callback_method": "POST",
        "partial_results": True,
        "language_code": captions.language,
        "profanity_filter": False,
        "hints": ",".join(captions.hints) or None,
    }


def gather(response: VoiceResponse, asked: Gather) -> None:
    """https://www.twilio.com/docs/voice/twiml/gather. Who presses nothing comes to the verb behind it."""
    to = {"action": asked.action, "method": "POST"}
    verb = response.gather(input="dtmf", num_digits=asked.digits, timeout=asked.timeout, **to)
    speak(verb, asked.sentences, asked.language, times=asked.times)
    response.redirect(asked.action, method="POST")


def speak(verb: TwiML, sentences: tuple[str, ...], language: str, *, times: int = 1) -> None:
    """Slowly: each sentence by itself, with a second of silence between. Twilio's own voices, which every account has,
    know no slower speech. https://www.twilio.com/docs/voice/twiml/say/text-speech
    """
    for number, sentence in enumerate(sentences * times):
        if number:
            verb.pause(length=1)
        verb.say(sentence, language=language or None)
