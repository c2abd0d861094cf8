"""The doors of calls: what apps ask, what Twilio posts, and what calls cost."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.parsers import FormParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet, ViewSet

from core.wire import MICROS_PER_DOLLAR, read
from groups.api.permissions import THE_GROUP
from groups.models import Group
from users.api.identity import IdentitySerializer, caller_identity
from users.api.permissions import IsAdminUser, PermissionsByAction
from voice.api.permissions import MaySeeCharges
from voice.api.serializers import (
    CHARGE_COLUMNS,
    AllChargesSerializer,
    GroupChargesQuerySerializer,
    GroupChargesSerializer,
    MakeCallSerializer,
    TokenSerializer,
    charge_shape,
)
from voice.api.signatures import SignedByTwilio
from voice.api.throttles import AccessTokenThrottle
from voice.callers import RefusedCallError
from voice.calls import start_call
from voice.conferences.events import receive_call_event, receive_conference_event
from voice.models import Call
from voice.telephony.interface import telephony

TWIML = "text/xml"
TWIML_ANSWER = {(200, TWIML): OpenApiTypes.STR}
SIGNATURE = OpenApiParameter(
    "X-Twilio-Signature", str, OpenApiParameter.HEADER, description="Twilio's: other requests are refused, 403."
)
TO = OpenApiParameter("to", str, description="The group's id.")


class TokenViewSet(ViewSet):
    throttle_classes = (AccessTokenThrottle.on("retrieve"),)

    @extend_schema(
        summary="A Twilio Access Token",
        description="The bare token; as JSON for a client that accepts only JSON. Valid for an hour. Who is signed in "
        "always gets their own identity.",
        parameters=[IdentitySerializer],
        responses={(200, "text/plain"): OpenApiTypes.STR, (200, "application/json"): TokenSerializer},
    )
    def retrieve(self, request: Request) -> HttpResponse:
        identity = caller_identity(request)
        token = telephony().access_token(identity=identity)
        headers = {"Cache-Control": "no-store", "Vary": "Accept"}
        if accepts_only_json(request):
            return Response({"token": token, "identity": identity}, headers=headers)
        return HttpResponse(token, content_type="text/plain", headers=headers)


class MakeCallViewSet(ViewSet):
    """Asked by Twilio for what to do with a caller. Every answer is TwiML, every refusal is spoken."""

    authentication_classes = ()
    permission_classes = (SignedByTwilio,)

    @extend_schema(summary="Let a caller into a group's call", parameters=[TO, SIGNATURE], responses=TWIML_ANSWER)
    def retrieve(self, request: Request) -> HttpResponse:
        return self.answer(request)

    @extend_schema(
        summary="Let a caller into a group's call",
        request=MakeCallSerializer,
        parameters=[SIGNATURE],
        responses=TWIML_ANSWER,
    )
    def create(self, request: Request) -> HttpResponse:
        return self.answer(request)

    def answer(self, request: Request) -> HttpResponse:
        params = twilio_params(request)
        try:
            twiml = telephony().dial(start_call(params=params))
        except RefusedCallError as refusal:
            twiml = telephony().say(str(refusal))
        return HttpResponse(twiml, content_type=TWIML)


class TwilioEventViewSet(ViewSet):
    """Twilio's status callbacks. Whatever is authentic is answered 204: Twilio repeats what is refused."""

    authentication_classes = ()
    permission_classes = (SignedByTwilio,)
    parser_classes = (FormParser,)

    @extend_schema(
        summary="Twilio's conference status callback",
        parameters=[SIGNATURE],
        request={"application/x-www-form-urlencoded": OpenApiTypes.OBJECT},
        responses={204: None},
    )
    def conference(self, request: Request) -> HttpResponse:
        receive_conference_event(twilio_params(request), now=timezone.now())
        return HttpResponse(status=204)

    @extend_schema(
        summary="Twilio's call status callback",
        parameters=[SIGNATURE],
        request={"application/x-www-form-urlencoded": OpenApiTypes.OBJECT},
        responses={204: None},
    )
    def call(self, request: Request) -> HttpResponse:
        receive_call_event(twilio_params(request), now=timezone.now())
        return HttpResponse(status=204)


class TwilioChargeViewSet(PermissionsByAction, GenericViewSet[Call]):
    action_permissions = {"all": IsAdminUser, "of_group": MaySeeCharges}
    rules = {"of_group": THE_GROUP}
    ordering = ("id",)
    row_keys = ("id",)

    @extend_schema(summary="What all calls cost at Twilio", responses=AllChargesSerializer)
    def all(self, request: Request) -> Response:
        page = self.paginate_queryset(Call.objects.order_by("id").values(*CHARGE_COLUMNS)) or []
        charges = [charge_shape(row) for row in page]
        total = Call.objects.all().total_price_micros() / MICROS_PER_DOLLAR
        return self.get_paginated_response({"allTwilioChargesRes": charges, "total": total})

    @extend_schema(
        summary="What a group's calls cost at Twilio",
        request=GroupChargesQuerySerializer,
        responses=GroupChargesSerializer,
    )
    def of_group(self, request: Request) -> Response:
        sent = read(GroupChargesQuerySerializer, request.data)
        group = get_object_or_404(Group.objects.only("pk"), pk=sent["groupId"])
        total = Call.objects.filter(group_id=group.pk).total_price_micros() / MICROS_PER_DOLLAR
        return Response({"sumOfGroupTwilioCharges": total})


def accepts_only_json(request: Request) -> bool:
    """axios, for one, sends "application/json, text/plain, */*": that is not only JSON."""
    kinds = {part.partition(";")[0].strip() for part in request.headers.get("Accept", "").split(",")}
    return "application/json" in kinds and not kinds & {"text/plain", "text/*", "*/*"}


def twilio_params(request: Request) -> dict[str, str]:
    """The query's and the body's fields as text that every database can hold."""
    body = request.data if isinstance(request.data, dict) else {}  # a QueryDict is a dict too
    both: dict[str, Any] = {**request.query_params.dict(), **{name: body[name] for name in body}}
    return {clean(name): clean(value) for name, value in both.items() if isinstance(value, str | int)}


def clean(value: Any) -> str:
    return str(value).encode("utf-8", "replace").decode().replace("\x00", "")
