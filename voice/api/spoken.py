"""The doors at which Twilio asks what to do with a caller: every answer is TwiML, and every refusal is spoken."""

import logging
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.viewsets import ViewSet

from core.vendors import NotConfigured
from voice.api.signatures import SignedByTwilio
from voice.api.unread import has_too_many_fields, keep_aside
from voice.sentences import COME_AGAIN
from voice.telephony.interface import Admission, Announce, Say, telephony

logger = logging.getLogger(__name__)

TWIML = "text/xml"
TWIML_ANSWER = {(200, TWIML): OpenApiTypes.STR}
SIGNATURE = OpenApiParameter(
    "X-Twilio-Signature", str, OpenApiParameter.HEADER, description="Twilio's: other requests are refused, 403."
)


class SpokenViewSet(ViewSet):
    # Of doors. A docstring would be each one's, in the document.

    authentication_classes = ()
    permission_classes = (SignedByTwilio,)

    def answer(self, request: Request, decide: Callable[..., Admission]) -> HttpResponse:
        """What `decide` makes of Twilio's `params`."""
        if has_too_many_fields(request._request):
            keep_aside(request._request)
            return twiml(self.come_again())
        return twiml(decide(params=twilio_params(request)))

    def come_again(self) -> Admission:
        return Say((COME_AGAIN,))

    def handle_exception(self, exc: Exception) -> Any:
        """A fault of ours is spoken too: of an error Twilio would tell the caller in words of its own."""
        try:
            answer: HttpResponse = super().handle_exception(exc)
        except Exception:
            logger.exception("A caller could not be answered")
        else:
            is_callers = answer.status_code < 500 and answer.status_code != 409  # 409: two changes met
            if is_callers or isinstance(exc, NotConfigured):
                return answer
        return twiml(self.come_again())


def twiml(admission: Admission | Announce) -> HttpResponse:
    return HttpResponse(telephony().answer(admission), content_type=TWIML)


def twilio_params(request: Request) -> dict[str, str]:
    """The query's and the body's fields as text that every database can hold."""
    body = request.data if isinstance(request.data, dict) else {}  # a QueryDict is a dict too
    both: dict[str, Any] = {**request.query_params.dict(), **{name: body[name] for name in body}}
    return {clean(name): clean(value) for name, value in both.items() if isinstance(value, str | int | Decimal)}


def clean(value: Any) -> str:
    return str(value).encode("utf-8", "replace").decode().replace("\x00", "")
