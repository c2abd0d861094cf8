"""The doors of a group's call: how it stands, and what its owners may do there."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from core.preconditions import conditional
from core.wire import read
from groups.api.permissions import OWNERS, THE_GROUP, MayInGroup
from users.api.serializers import CountSerializer
from users.api.standing import asking_again
from voice.api.call_serializers import (
    CallChangesSerializer,
    CallStateSerializer,
    EndWhenAloneChangesSerializer,
    EndWhenAloneSerializer,
    LanguageChangesSerializer,
    LanguageSerializer,
)
from voice.hosting.call_state import call_state
from voice.hosting.rules import rules_of, settle
from voice.hosting.unknown_callers import remove_unknown_callers


class CallViewSet(ViewSet):
    permission_classes = (MayInGroup,)
    rules = {
        "retrieve": THE_GROUP,
        "update": OWNERS,
        "remove_unknown_callers": OWNERS,
        "end_when_alone": THE_GROUP,
        "change_end_when_alone": OWNERS,
        "language": THE_GROUP,
        "change_language": OWNERS,
    }

    @extend_schema(
        summary="How the group's call stands",
        description="Who is on it by Twilio's word, each person once, and what it costs its payer.",
        responses=CallStateSerializer,
    )
    def retrieve(self, request: Request, group_id: int) -> Response:
        return Response(CallStateSerializer(call_state(group_id, now=timezone.now())).data)

    @extend_schema(
        summary="Lock the group's call, or unlock it",
        description="While it is locked nobody is let in, and who is on stays. A lock ends when the last one has left.",
        request=CallChangesSerializer,
        responses=CallStateSerializer,
    )
    @conditional
    def update(self, request: Request, group_id: int) -> Response:
        sent = read(CallChangesSerializer, request.data)
        if sent:
            settle(group_id=group_id, check=asking_again(self, request), **sent)
        return self.retrieve(request, group_id)

    @extend_schema(
        summary="Hang up on the phones of nobody whom we know",
        operation_id="groups_call_unknownCallers_remove",
        responses={200: CountSerializer},
    )
    @conditional
    def remove_unknown_callers(self, request: Request, group_id: int) -> Response:
        removed = remove_unknown_callers(group_id=group_id, check=asking_again(self, request))
        return Response(CountSerializer({"count": f"{removed} unknown caller(s) removed"}).data)

    @extend_schema(summary="Whether who is alone on a call is hung up on", responses=EndWhenAloneSerializer)
    def end_when_alone(self, request: Request, group_id: int) -> Response:
        return Response(EndWhenAloneSerializer(rules_of(group_id)).data)

    @extend_schema(
        summary="Say whether who is alone on a call is hung up on",
        request=EndWhenAloneChangesSerializer,
        responses=EndWhenAloneSerializer,
    )
    @conditional
    def change_end_when_alone(self, request: Request, group_id: int) -> Response:
        sent = read(EndWhenAloneChangesSerializer, request.data)
        if sent:
            settle(group_id=group_id, check=asking_again(self, request), **sent)
        return self.end_when_alone(request, group_id)

    @extend_schema(summary="In which language the group is spoken to on the phone", responses=LanguageSerializer)
    def language(self, request: Request, group_id: int) -> Response:
        return Response(LanguageSerializer(rules_of(group_id)).data)

    @extend_schema(
        summary="Choose the language in which the group is spoken to on the phone",
        description="English and German are spoken.",
        request=LanguageChangesSerializer,
        responses=LanguageSerializer,
    )
    @conditional
    def change_language(self, request: Request, group_id: int) -> Response:
        sent = read(LanguageChangesSerializer, request.data)
        if sent:
            settle(group_id=group_id, check=asking_again(self, request), **sent)
        return self.language(request, group_id)
