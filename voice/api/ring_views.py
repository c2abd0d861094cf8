"""The doors of ringing: of who rings, and of Twilio, whose phone is answered."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from core.wire import read
from groups.api.permissions import THE_GROUP, MayInGroup
from users.api.idempotent import AnswersAgain, idempotent
from users.api.standing import asking_again
from users.callers import caller_of
from users.limits import of_caller
from users.models import User
from voice.api.ring_serializers import RingAnswerSerializer, RingSerializer, RungCallSerializer
from voice.api.spoken import SIGNATURE, TWIML_ANSWER, SpokenViewSet
from voice.ringing.answering import answer_ring
from voice.ringing.starting import ring

LEG = OpenApiParameter("leg", str, description="Which of our legs it is.")


class RingViewSet(AnswersAgain, ViewSet):
    permission_classes = (MayInGroup,)
    rules = {"create": THE_GROUP}
    counted = ("create",)

    @extend_schema(
        summary="Ring people, to come to the group's call",
        description="By their apps and their verified telephones at once; the first answer counts. What becomes of it "
        "comes as `ring` on `/api/live`.",
        operation_id="groups_ring",
        request=RingSerializer,
        responses={202: OpenApiResponse(RingAnswerSerializer, "They are being rung.")},
    )
    @idempotent()
    def create(self, request: Request, group_id: int) -> Response:
        asked, caller = read(RingSerializer, request.data).get("userIds"), caller_of(request)
        rung = ring(
            group_id=group_id,
            user_ids=asked,
            by=caller if isinstance(caller, User) else None,
            who=of_caller(request),
            check=asking_again(self, request),
        )
        self.made = {
            "ringing": [{"userId": pk, "by": by} for pk, by in rung.ringing],
            "skipped": [{"userId": pk, "why": why} for pk, why in rung.skipped],
        }
        return Response(RingAnswerSerializer(self.made).data, status=202)

    def answer_again(self, request: Request, made: dict[str, Any], status: int, *, group_id: int) -> Response:
        return Response(RingAnswerSerializer(made).data, status=status)


class RungCallViewSet(SpokenViewSet):
    """Asked by Twilio when somebody who is rung answers, and when they press a key. Every answer is TwiML."""

    @extend_schema(
        summary="Somebody who is rung answers, or presses a key",
        request=RungCallSerializer,
        parameters=[LEG, SIGNATURE],
        responses=TWIML_ANSWER,
    )
    def answered(self, request: Request) -> HttpResponse:
        return self.answer(request, answer_ring)
