"""Twilio's side of calls, played: it posts what happens, signed, and does what the TwiML of the answers asks for."""

from xml.etree import ElementTree

from django.conf import settings
from django.core.management.base import CommandError

from voice.models import Call
from voice.simulation.api_client import Server
from voice.simulation.script import CALL_EVENTS, KEYPAD, Webhook
from voice.telephony.sandbox_telephony import CALLER_ID, SandboxTelephony

RING_ANSWER = "/api/voice/ringAnswer"


class Telephones:
    """Those of a call: what each has been told last says where it goes by *."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.stars: dict[str, str] = {}

    def post(self, webhook: Webhook) -> None:
        """Raises CommandError where keys are to be pressed, and nobody asks for any, or they let nobody in."""
        sid = webhook.params.get("CallSid", "")
        path = self.stars.get(sid, "") if webhook.path == KEYPAD else webhook.path
        if not path:
            raise CommandError(f"{webhook.told}, and nothing happens: the call has no menu.")
        answer = post_signed(self.server, path, webhook.params)
        if webhook.keys:
            answer = post_signed(self.server, asked(answer, webhook.told), {**webhook.params, "Digits": webhook.keys})
        dial = ElementTree.fromstring(answer).find("Dial") if answer else None  # noqa: S314  # our own server's
        if webhook.keys and dial is None:
            raise CommandError(f"{webhook.told}, and is not let in: {answer}")
        if dial is not None:
            self.stars[sid] = own_path(dial.get("action", ""))


def answer_as_machine(server: Server, leg: Call) -> None:
    """An answering machine picks up, presses nothing, and is hung up on."""
    params = {"CallSid": leg.sid, "From": CALLER_ID, "To": leg.called, "Direction": "outbound-api"}
    answer = post_signed(server, f"{RING_ANSWER}?leg={leg.pk}", params)
    answer = post_signed(server, asked(answer, "A machine answers"), params)
    if "<Hangup" not in answer:
        raise CommandError(f"A machine answers, and is not hung up on: {answer}")
    ended = {**params, "CallStatus": "completed", "CallDuration": "40"}
    post_signed(server, f"{CALL_EVENTS}?leg={leg.pk}", ended)


def asked(answer: str, told: str) -> str:
    """Where the answer to a question is posted."""
    question = ElementTree.fromstring(answer).find("Gather")  # noqa: S314  # our own server's
    if question is None:
        raise CommandError(f"{told}, and is not asked for a key: {answer}")
    return own_path(question.attrib["action"])


def own_path(address: str) -> str:
    return address.removeprefix(settings.PUBLIC_URL)


def post_signed(server: Server, path: str, params: dict[str, str]) -> str:
    signature = SandboxTelephony().signature(url=f"{settings.PUBLIC_URL}{path}", params=params)
    answer: str = server.post_form(path, params, {"X-Twilio-Signature": signature})
    return answer
