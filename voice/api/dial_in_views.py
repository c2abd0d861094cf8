"""The doors of telephones that dial in: what Twilio asks, and what a person is told of their number and code."""

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from core.wire import read
from groups.api.permissions import THE_GROUP, MayInGroup
from groups.models import Group
from users.api.idempotent import AnswersAgain, idempotent
from users.api.permissions import PermissionsByAction
from users.api.standing import asking_again
from users.callers import caller_of
from users.models import User
from voice.api.dial_in_serializers import DialInCallSerializer, DialInSerializer, WhoseDialInSerializer
from voice.api.spoken import SIGNATURE, TWIML_ANSWER, SpokenViewSet
from voice.api.unread import form_fields
from voice.dial_in.codes import code_in, renew_code
from voice.dial_in.conversation import answer_call, answer_code
from voice.dial_in.homes import is_known
from voice.dial_in_models import DialInNumber
from voice.sentences import COME_AGAIN, language_at, spoken
from voice.telephony.interface import Say

NOBODY_IN_GROUP = "A code is for somebody who owns the group or is a member of it."


class DialInViewSet(AnswersAgain, PermissionsByAction, ViewSet):
    permission_classes = (MayInGroup,)
    rules = {"retrieve": THE_GROUP, "renew": THE_GROUP}

    @extend_schema(
        summary="How one dials into the group's call",
        parameters=[WhoseDialInSerializer],
        responses=DialInSerializer,
    )
    def retrieve(self, request: Request, group_id: int) -> Response:
        asked = read(WhoseDialInSerializer, request.query_params).get("userId")
        return self.shown(request, group_id, asked)

    @extend_schema(
        summary="A new code for oneself",
        description="The old one lets nobody in any more.",
        request=WhoseDialInSerializer,
        responses=DialInSerializer,
    )
    @idempotent()
    def renew(self, request: Request, group_id: int) -> Response:
        asked = read(WhoseDialInSerializer, request.data).get("userId")
        person_id = self.person_in(request, group_id, asked)
        if person_id is None:
            raise ValidationError({"userId": NOBODY_IN_GROUP})
        renew_code(group_id=group_id, user_id=person_id, check=asking_again(self, request))
        return self.shown(request, group_id, asked)

    def answer_again(self, request: Request, made: None, status: int, group_id: int) -> Response:
        return self.shown(request, group_id, read(WhoseDialInSerializer, request.data).get("userId"))

    def shown(self, request: Request, group_id: int, asked: int | None) -> Response:
        person_id = self.person_in(request, group_id, asked)
        own = DialInNumber.objects.filter(group=group_id).order_by("pk").values_list("number", flat=True)
        answer = {
            "numbers": list(dict.fromkeys([*own, *settings.DIAL_IN_NUMBERS])),
            "pin": code_in(group_id=group_id, user_id=person_id) if person_id else None,
            "knownCaller": person_id is not None and is_known(person_id),
        }
        return Response(DialInSerializer(answer).data, headers={"Cache-Control": "no-store"})

    def person_in(self, request: Request, group_id: int, asked: int | None) -> int | None:
        """Whose code it is; None for who has no part in the group: staff are shown nobody's."""
        caller = caller_of(request)
        group = get_object_or_404(Group.objects.visible_to(caller), pk=group_id)
        person_id = caller.pk if isinstance(caller, User) else asked
        return person_id if person_id and Group.objects.of_person(person_id).filter(pk=group.pk).exists() else None


class DialInCallViewSet(SpokenViewSet):
    """Asked by Twilio at each step of a call that dials in. Every answer is TwiML, every refusal is spoken."""

    @extend_schema(
        summary="A telephone dials in, or presses a key",
        request=DialInCallSerializer,
        parameters=[SIGNATURE],
        responses=TWIML_ANSWER,
    )
    def call(self, request: Request) -> HttpResponse:
        return self.answer(request, answer_call)

    @extend_schema(
        summary="A telephone has typed a code",
        request=DialInCallSerializer,
        parameters=[SIGNATURE],
        responses=TWIML_ANSWER,
    )
    def code(self, request: Request) -> HttpResponse:
        return self.answer(request, answer_code)

    def come_again(self) -> Say:
        """In the language that the number alone tells: the database may be what is down."""
        language = language_at(form_fields(self.request._request).get("To", ""))
        return Say((spoken(COME_AGAIN, language),), language, times=2)
