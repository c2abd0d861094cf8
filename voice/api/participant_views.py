"""The doors of a group's call list that touch the call itself."""

from collections.abc import Callable

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.preconditions import conditional
from groups.api.list_views import ParticipantViewSet
from users.api.serializers import CountSerializer
from users.api.standing import asking_again
from voice.hang_ups import end_group_call, take_off_call


class CallParticipantViewSet(ParticipantViewSet):
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
