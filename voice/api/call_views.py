"""The doors of a group's call: how it stands."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from groups.api.permissions import THE_GROUP, MayInGroup
from voice.api.call_serializers import CallStateSerializer
from voice.hosting.call_state import call_state


class CallViewSet(ViewSet):
    permission_classes = (MayInGroup,)
    rules = {"retrieve": THE_GROUP}

    @extend_schema(
        summary="How the group's call stands",
        description="Who is on it by Twilio's word, each person once, and what it costs its payer.",
        responses=CallStateSerializer,
    )
    def retrieve(self, request: Request, group_id: int) -> Response:
        return Response(CallStateSerializer(call_state(group_id, now=timezone.now())).data)
