"""Twilio's side of a call, played: it posts what happens, signed, and does what the TwiML of the answer asks for."""

from xml.etree import ElementTree

from django.conf import settings
from django.core.management.base import CommandError

from voice.simulation.api_client import Server
from voice.simulation.script import Webhook
from voice.telephony.sandbox_telephony import SandboxTelephony


def post(server: Server, webhook: Webhook) -> None:
    """Raises CommandError where keys are to be pressed, and nobody asks for any, or they let nobody in."""
    answer = post_signed(server, webhook.path, webhook.params)
    if not webhook.keys:
        return
    action = ElementTree.fromstring(answer).find("Gather")  # noqa: S314  # our own server's
    if action is None:
        raise CommandError(f"{webhook.told}, and is not asked for a code: {answer}")
    path = action.attrib["action"].removeprefix(settings.PUBLIC_URL)
    answer = post_signed(server, path, {**webhook.params, "Digits": webhook.keys})
    if "<Conference" not in answer:
        raise CommandError(f"{webhook.told}, and is not let in: {answer}")


def post_signed(server: Server, path: str, params: dict[str, str]) -> str:
    signature = SandboxTelephony().signature(url=f"{settings.PUBLIC_URL}{path}", params=params)
    answer: str = server.post_form(path, params, {"X-Twilio-Signature": signature})
    return answer
