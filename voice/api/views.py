"""The doors of calls: what apps ask, what Twilio posts, and what calls cost."""

from collections.abc import Callable

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.parsers import FormParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet, ViewSet

from core.accept import accepted
from core.wire import read
from groups.api.permissions import THE_GROUP
from users.api.identity import IdentitySerializer, caller_identity
from users.api.permissions import IsAdminUser, PermissionsByAction
from voice.api.event_serializers import CallEventSerializer, CaptionEventSerializer, ConferenceEventSerializer
from voice.api.permissions import MaySeeCharges
from voice.api.serializers import (
    AllChargesSerializer,
    CallChargeSerializer,
    GroupChargesQuerySerializer,
    GroupChargesSerializer,
    MakeCallSerializer,
    TokenSerializer,
)
from voice.api.signatures import SignedByTwilio
from voice.api.spoken import SIGNATURE, TWIML_ANSWER, SpokenViewSet, twilio_params
from voice.api.throttles import AccessTokenThrottle
from voice.api.unread import has_too_many_fields, keep_aside
from voice.calls import admit
from voice.captions.events import receive_caption_event
from voice.conferences.events import receive_conference_event
from voice.models import Call
from voice.ringing.legs import receive_leg_event
from voice.telephony.interface import telephony

TO = OpenApiParameter("to", str, description="The group's id.")


class TokenViewSet(ViewSet):
    throttle_classes = (AccessTokenThrottle.on("retrieve"),)

    @extend_schema(
        summary="A Twilio Access Token",
        description="The bare token; as JSON, `token` and `identity`, for a client that accepts only that. Valid for "
        "an hour. Who is signed in always gets their own identity.",
        parameters=[IdentitySerializer],
        responses={(200, "text/plain"): OpenApiTypes.STR},  # of two shapes a generated client reads one as the other
    )
    def retrieve(self, request: Request) -> HttpResponse:
        identity = caller_identity(request)
        token = telephony().access_token(identity=identity)
        headers = {"Cache-Control": "no-store", "Vary": "Accept"}
        if accepts_only_json(request):
            return Response(TokenSerializer({"token": token, "identity": identity}).data, headers=headers)
        return HttpResponse(token, content_type="text/plain", headers=headers)


class MakeCallViewSet(SpokenViewSet):
    """Asked by Twilio for what to do with a caller. Every answer is TwiML, every refusal is spoken."""

    @extend_schema(summary="Let a caller into a group's call", parameters=[TO, SIGNATURE], responses=TWIML_ANSWER)
    def retrieve(self, request: Request) -> HttpResponse:
        return self.answer(request, admit)

    @extend_schema(
        summary="Let a caller into a group's call",
        request=MakeCallSerializer,
        parameters=[SIGNATURE],
        responses=TWIML_ANSWER,
    )
    def create(self, request: Request) -> HttpResponse:
        return self.answer(request, admit)


class TwilioEventViewSet(ViewSet):
    """Twilio's status callbacks. Whatever is authentic is answered 204: Twilio repeats what is refused."""

    authentication_classes = ()
    permission_classes = (SignedByTwilio,)
    parser_classes = (FormParser,)

    @extend_schema(
        summary="Twilio's conference status callback",
        description="The same again, or late, changes nothing that it should not.",
        parameters=[SIGNATURE],
        request={"application/x-www-form-urlencoded": ConferenceEventSerializer},
        responses={204: None},
    )
    def conference(self, request: Request) -> HttpResponse:
        return self.receive(request, receive_conference_event)

    @extend_schema(
        summary="Twilio's call status callback",
        description="Of any call. It has ended, and for how long it was, is what is read of it.",
        parameters=[SIGNATURE],
        request={"application/x-www-form-urlencoded": CallEventSerializer},
        responses={204: None},
    )
    def call(self, request: Request) -> HttpResponse:
        return self.receive(request, receive_leg_event)

    @extend_schema(
        summary="Twilio's status callback of a real-time transcription",
        parameters=[SIGNATURE],
        request={"application/x-www-form-urlencoded": CaptionEventSerializer},
        responses={204: None},
    )
    def captions(self, request: Request) -> HttpResponse:
        return self.receive(request, receive_caption_event)

    def receive(self, request: Request, follow: Callable[..., None]) -> HttpResponse:
        if has_too_many_fields(request._request):
            keep_aside(request._request)
        else:
            follow(twilio_params(request), now=timezone.now())
        return HttpResponse(status=204)


class TwilioChargeViewSet(PermissionsByAction, GenericViewSet[Call]):
    action_permissions = {"all": IsAdminUser, "of_group": MaySeeCharges}
    rules = {"of_group": THE_GROUP}
    ordering = ("id",)
    row_keys = ("id",)

    @extend_schema(summary="What all calls cost at Twilio", responses=AllChargesSerializer)
    def all(self, request: Request) -> Response:
        page = self.paginate_queryset(Call.objects.order_by("id").values("id", *CallChargeSerializer.columns)) or []
        answer = {"calls": page, "price_micros": Call.objects.all().total_price_micros()}
        return self.get_paginated_response(AllChargesSerializer(answer).data)

    @extend_schema(
        summary="What a group's calls cost at Twilio",
        request=GroupChargesQuerySerializer,
        responses=GroupChargesSerializer,
    )
    def of_group(self, request: Request) -> Response:
        group_id = read(GroupChargesQuerySerializer, request.data)["groupId"]
        total = Call.objects.filter(group_id=group_id).total_price_micros()
        return Response(GroupChargesSerializer({"price_micros": total}).data)


def accepts_only_json(request: Request) -> bool:
    """axios, for one, sends "application/json, text/plain, */*": that is not only JSON."""
    kinds = accepted(request).keys()
    return "application/json" in kinds and not kinds & {"text/plain", "text/*", "*/*"}
