"""The doors of a group's call list that touch the call itself."""

from collections.abc import Callable

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.preconditions import conditional
from core.wire import read
from groups.api.list_views import ParticipantViewSet
from groups.api.permissions import ANYBODY, NOBODY, ONESELF, Rule
from users.api.serializers import CountSerializer
from users.api.standing import asking_again
from users.models import User
from voice.api.call_serializers import CallStateSerializer, ParticipantChangesSerializer
from voice.hang_ups import end_group_call, take_off_call
from voice.hosting.call_state import call_state
from voice.hosting.muting import mute


class CallParticipantViewSet(ParticipantViewSet):
    rules = {**ParticipantViewSet.rules, "mute": Rule(owner=ANYBODY, member=ONESELF, invitee=NOBODY)}

    @extend_schema(
        summary="Mute a person on the call, or let them be heard again",
        description="By each phone that they are on with. Who is on by none: 409 `not_on_call`.",
        operation_id="groups_callParticipants_mute",
        request=ParticipantChangesSerializer,
        responses=CallStateSerializer,
    )
    @conditional
    def mute(self, request: Request, group_id: int, user_id: int) -> Response:
        sent = read(ParticipantChangesSerializer, request.data)
        if sent:
            mute(group_id=group_id, user_id=user_id, check=asking_again(self, request), **sent)
        else:
            get_object_or_404(User, pk=user_id)
        return Response(CallStateSerializer(call_state(group_id, now=timezone.now())).data)

    def remove(self, *, group_id: int, user_id: int, by: int | None, check: Callable[[], None]) -> None:
        take_off_call(group_id=group_id, user_id=user_id, by=by, check=check)

    @extend_schema(
        summary="Take everybody off the list",
        description="Ends the call: each phone that is on it is hung up on.",
        operation_id="groups_callParticipants_clear",
        responses={200: CountSerializer},
    )
    @conditional
    def clear(self, request: Request, group_id: int) -> Response:
        removed = end_group_call(group_id=group_id, check=asking_again(self, request))
        return Response(CountSerializer({"count": f"{removed} user(s) removed from participants"}).data)
