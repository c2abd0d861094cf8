"""The door at which Twilio asks for the words of an announcement. Of those that we have it asks no database; of what
somebody has typed it does, and says nothing where that fails: there is always an answer."""

import logging

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.viewsets import ViewSet

from voice.announcements import announcement
from voice.api.event_serializers import AnnouncementAskedSerializer
from voice.api.signatures import SignedByTwilio
from voice.api.spoken import SIGNATURE, TWIML_ANSWER, twiml
from voice.captions.messages import words_of
from voice.telephony.interface import Announce

logger = logging.getLogger(__name__)


class AnnouncementViewSet(ViewSet):
    authentication_classes = ()
    permission_classes = (SignedByTwilio,)

    @extend_schema(
        summary="What is spoken into a call",
        description="Asked by Twilio; of its form nothing is read. An unknown announcement is silence.",
        parameters=[
            OpenApiParameter("say", str, description="The name of an announcement."),
            OpenApiParameter("language", str, description="As BCP 47 writes it."),
            OpenApiParameter("message", str, description="Which typed message, instead of a name."),
            SIGNATURE,
        ],
        request={"application/x-www-form-urlencoded": AnnouncementAskedSerializer},
        responses=TWIML_ANSWER,
    )
    def create(self, request: Request) -> HttpResponse:
        name, language, message = (request.query_params.get(each, "") for each in ("say", "language", "message"))
        return twiml(typed(message) if message else announcement(name, language))


def typed(message: str) -> Announce:
    try:
        return words_of(message, now=timezone.now())
    except Exception:
        logger.exception("A typed message could not be read")
        return Announce(())
