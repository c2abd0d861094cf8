"""The doors of the stream: who may follow what. The stream itself is the front's (`voicechat/front/streams.py`)."""

from time import time
from typing import Any

from django.conf import settings
from django.http import Http404, HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from core.streams import MOST_OF_ONE, OPENING, SEATS, Opening, Seats
from core.throttle import Throttle
from core.wire import IdField, TimeField, read
from groups.live.once import told_once
from groups.models import Group
from users.callers import caller_of, token_identity
from users.limits import of_caller
from users.models import User
from users.sign_in.authentication import BearerAuthentication
from users.sign_in.tickets import TicketAuthentication, issue, signed_in_until

MOST_GROUPS = 200
EVENT_STREAM = "text/event-stream"
NO_EYES = "Say through whose eyes, by userId, or which groups, by groupId: nobody is signed in here."


class TooManyStreams(APIException):
    status_code = 429
    default_code = "too_many_streams"
    default_detail = (
        f"There are {MOST_OF_ONE} streams open already. Close one, or follow several groups by one stream: "
        "without groupId it follows them all."
    )
    wait = 30


class TicketThrottle(Throttle):
    scope = "stream_tickets"


class StreamQuerySerializer(serializers.Serializer[Any]):
    groupId = serializers.ListField(
        child=IdField(),
        required=False,
        max_length=MOST_GROUPS,
        help_text="Of this group alone; more than once, of these.",
    )
    userId = IdField(required=False, help_text="In open mode: through whose eyes.")
    lastEventId = serializers.CharField(
        required=False,
        allow_blank=True,
        trim_whitespace=False,
        help_text="The id of the last event that came: what was missed comes first. The header Last-Event-ID wins.",
    )


class StreamTicketSerializer(serializers.Serializer[Any]):
    ticket = serializers.CharField()
    expiresAt = TimeField()


class LiveViewSet(ViewSet):
    counted = ("stream",)
    authentication_classes = (TicketAuthentication, BearerAuthentication)

    @extend_schema(
        summary="What changes, as it happens",
        description="Server-sent events of all that changes in one's groups and on one's account: docs/live.md. "
        "It ends by itself within 10 minutes; then connect again, with the id of the last event.",
        parameters=[StreamQuerySerializer],
        responses={(200, EVENT_STREAM): OpenApiTypes.STR},
    )
    def stream(self, request: Request) -> HttpResponse:
        opening = opening_of(request, read(StreamQuerySerializer, request.query_params))
        seats: Seats | None = request.META.get(SEATS)
        body = b""
        if request.method == "GET" and seats is None:
            body = told_once(opening, time())
        elif request.method == "GET" and seats is not None:
            if not seats.take(opening.seat):
                raise TooManyStreams
            request.META[OPENING] = opening
        # nginx would keep events back until there are some kilobytes of them
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return HttpResponse(body, content_type=EVENT_STREAM, headers=headers)


class StreamTicketViewSet(ViewSet):
    throttle_classes = (TicketThrottle.on("create"),)

    @extend_schema(
        summary="A ticket for a stream",
        description="For a browser's EventSource, which sends no token: `GET /api/live?ticket=…` lets its holder in "
        "once, within half a minute.",
        request=None,
        responses={201: StreamTicketSerializer},
    )
    def create(self, request: Request) -> Response:
        caller = caller_of(request)
        person = caller if isinstance(caller, User) else None
        ticket, until = issue(person, signed_in_until=signed_in_until(request))
        return Response(StreamTicketSerializer({"ticket": ticket, "expiresAt": until}).data, status=201)


def opening_of(request: Request, asked: dict[str, Any]) -> Opening:
    """Raises Http404 where a person or a group is not there for the caller, ValidationError where nobody is named."""
    caller, identity = caller_of(request), token_identity(request)
    groups = frozenset(asked["groupId"]) if asked.get("groupId") else None
    person = asked.get("userId") if settings.OPEN_MODE else caller.pk
    if person is None and groups is None:
        raise serializers.ValidationError({"userId": NO_EYES})
    if settings.OPEN_MODE and person is not None and not User.objects.filter(pk=person).exists():
        raise Http404
    if groups is not None and visible(groups, None if caller.is_staff and identity else person) < len(groups):
        raise Http404
    return Opening(
        person=person,
        sign_in=(identity.issuer, identity.subject) if identity else None,
        groups=groups,
        place=request.headers.get("Last-Event-ID") or asked.get("lastEventId") or None,
        until=signed_in_until(request),
        seat=of_caller(request) if person is None else f"person:{person}",
    )


def visible(groups: frozenset[int], person: int | None) -> int:
    """How many of these there are, around whom this person is."""
    found = Group.objects.filter(pk__in=groups)
    return (found if person is None else found.around(person)).count()
