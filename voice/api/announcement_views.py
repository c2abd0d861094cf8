"""The door at which Twilio asks for the words of an announcement. It asks no database: there is always an answer."""

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.viewsets import ViewSet

from voice.announcements import announcement
from voice.api.signatures import SignedByTwilio
from voice.api.spoken import SIGNATURE, TWIML_ANSWER, twiml


class AnnouncementViewSet(ViewSet):
    authentication_classes = ()
    permission_classes = (SignedByTwilio,)

    @extend_schema(
        summary="What is spoken into a call",
        description="Asked by Twilio; of its form nothing is read. An unknown announcement is silence.",
        parameters=[
            OpenApiParameter("say", str, description="The name of an announcement."),
            OpenApiParameter("language", str, description="As BCP 47 writes it."),
            SIGNATURE,
        ],
        request={"application/x-www-form-urlencoded": OpenApiTypes.OBJECT},
        responses=TWIML_ANSWER,
    )
    def create(self, request: Request) -> HttpResponse:
        name, language = (request.query_params.get(each, "") for each in ("say", "language"))
        return twiml(announcement(name, language))
