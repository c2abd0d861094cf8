"""The door of the keypad: what Twilio asks when somebody on a call presses *."""

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from voice.api.dial_in_serializers import KeypadSerializer
from voice.api.spoken import SIGNATURE, TWIML_ANSWER, SpokenViewSet, twilio_params
from voice.api.unread import has_too_many_fields
from voice.keypad.menu import answer_keypad, find_back
from voice.telephony.interface import Dial, Say

ENTRY = OpenApiParameter("entry", str, description="By which Twilio comes back: signed by us, for one call.")


class KeypadViewSet(SpokenViewSet):
    """Asked by Twilio when somebody steps out of their call, and at each key. Every answer is TwiML."""

    @extend_schema(
        summary="Somebody on a call presses *, or a key in the menu",
        request=KeypadSerializer,
        parameters=[ENTRY, SIGNATURE],
        responses=TWIML_ANSWER,
    )
    def pressed(self, request: Request) -> HttpResponse:
        return self.answer(request, answer_keypad)

    def come_again(self) -> Dial | Say:
        """Back to the call: the database may be what is down."""
        is_read = not has_too_many_fields(self.request._request)
        return find_back(twilio_params(self.request) if is_read else {})
