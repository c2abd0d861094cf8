"""The doors of groups and their activities."""

from django.db import transaction
from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from core.preconditions import conditional
from core.shown import shows
from core.wire import MOST_LISTED, read
from groups.api import polled
from groups.api.pages import PagesViewSet
from groups.api.permissions import (
    EVERYBODY_THERE,
    ONESELF,
    OWNERS,
    THE_GROUP,
    MayChangeGroup,
    MayInGroup,
    MayPostActivity,
    NamesPerson,
    Rule,
)
from groups.api.serializers import (
    ActivitySerializer,
    CallStatusChangeSerializer,
    CallStatusSerializer,
    GroupChangesSerializer,
    GroupSerializer,
    NewActivitySerializer,
    NewGroupSerializer,
)
from groups.api.throttles import ActivityThrottle
from groups.models import (
    Activity,
    Group,
    GroupQuerySet,
)
from groups.services import add_activity, lock_group, make_group
from users.api.idempotent import AnswersAgain, idempotent
from users.api.permissions import IsSignedUp, PermissionsByAction
from users.api.serializers import CountSerializer
from users.api.standing import ask_again, asking_again
from users.callers import caller_of
from users.models import User
from users.services import delete_row


class GroupViewSet(AnswersAgain, PermissionsByAction, GenericViewSet[Group]):
    permission_classes = (MayInGroup,)
    action_permissions = {"list": IsSignedUp, "create": IsSignedUp, "update": MayChangeGroup}
    rules = {
        "retrieve": EVERYBODY_THERE,
        "call_status": EVERYBODY_THERE,
        "change_call_status": THE_GROUP,
        "update": OWNERS,
        "destroy": OWNERS,
    }
    ordering = ("id",)
    row_keys = ("id",)
    serializer_class = GroupSerializer

    def get_queryset(self) -> GroupQuerySet:
        return Group.objects.visible_to(caller_of(self.request))

    @extend_schema(summary="The groups that one may see", responses=GroupSerializer(many=True))
    def list(self, request: Request) -> Response:
        rows = self.get_queryset().order_by(*self.ordering).values(*GroupSerializer.columns)
        page = self.paginate_queryset(rows) or []
        return self.get_paginated_response(list(map(GroupSerializer.shape, page)))

    @extend_schema(
        summary="Make a group",
        description="Who is signed in becomes its owner and a member.",
        request=NewGroupSerializer,
        responses={201: GroupSerializer},
    )
    @idempotent()
    def create(self, request: Request) -> Response:
        caller = caller_of(request)
        founder = caller if isinstance(caller, User) else None
        fields = read(NewGroupSerializer, request.data)
        group = make_group(founder=founder, check=asking_again(self, request), **fields)
        self.made = group.pk
        return Response(GroupSerializer(group).data, status=201)

    def answer_again(self, request: Request, made: int, status: int) -> Response:
        row = get_object_or_404(self.get_queryset().values(*GroupSerializer.columns), pk=made)
        return Response(GroupSerializer.shape(row), status=status)

    @extend_schema(summary="One group")
    def retrieve(self, request: Request, group_id: int) -> Response:
        row = get_object_or_404(self.get_queryset().values(*GroupSerializer.columns), pk=group_id)
        return Response(GroupSerializer.shape(row))

    @extend_schema(summary="Change a group", request=GroupChangesSerializer)
    @conditional
    def update(self, request: Request, group_id: int) -> Response:
        return self.change(group_id, GroupChangesSerializer, request)

    @extend_schema(summary="Delete a group", responses={200: CountSerializer})
    @conditional
    def destroy(self, request: Request, group_id: int) -> Response:
        delete_row(self.get_queryset(), group_id, check=asking_again(self, request))
        return Response(CountSerializer({"count": "1 group deleted"}).data)

    @extend_schema(summary="Whether the group is on a call", responses=CallStatusSerializer)
    def call_status(self, request: Request, group_id: int) -> Response:
        rows = polled.call_status([group_id])
        if not rows:
            raise Http404
        shows(self, request, group_id, groups=[group_id])
        return Response(rows[0])

    @extend_schema(summary="Say whether the group is on a call", request=CallStatusChangeSerializer)
    @conditional
    def change_call_status(self, request: Request, group_id: int) -> Response:
        return self.change(group_id, CallStatusChangeSerializer, request)

    def change(self, group_id: int, serializer: type[CallStatusChangeSerializer], request: Request) -> Response:
        with transaction.atomic():
            lock_group(group_id)
            ask_again(self, request)
            group = get_object_or_404(self.get_queryset(), pk=group_id)
            body = serializer(group, data=request.data)
            body.is_valid(raise_exception=True)
            return Response(GroupSerializer(body.save()).data)


class ActivityViewSet(NamesPerson, AnswersAgain, PermissionsByAction, PagesViewSet):
    throttle_classes = (ActivityThrottle.on("create"),)
    permission_classes = (MayInGroup,)
    action_permissions = {"create": MayPostActivity}
    rules = {"list": EVERYBODY_THERE, "create": Rule(owner=ONESELF, member=ONESELF, invitee=ONESELF)}
    ordering = ("-created_at", "-id")
    row_keys = ("created_at", "id")
    serializer_class = ActivitySerializer

    @extend_schema(summary="What happened in the group, newest first", responses=ActivitySerializer(many=True))
    def list(self, request: Request, group_id: int) -> Response:
        return self.page(group_id) if request.GET else self.shown(self.current(group_id), group_id)

    def current(self, group_id: int, status: int = 200) -> Response:
        """The list, in one query where it is neither empty nor a very long one."""
        rows = polled.activities([group_id])
        if not 0 < len(rows) <= MOST_LISTED:
            return self.page(group_id, status)
        return Response(rows, status=status)

    def page(self, group_id: int, status: int = 200) -> Response:
        rows = Activity.objects.filter(group_id=group_id).newest_first()
        return self.page_of(rows, ActivitySerializer, owners=Group.objects.all(), owner_id=group_id, status=status)

    @extend_schema(
        summary="Add an activity",
        description="Answers with the group's list; from somebody who has just left, with the new one alone.",
        request=NewActivitySerializer,
        responses={201: ActivitySerializer(many=True)},
    )
    @idempotent()
    def create(self, request: Request, group_id: int) -> Response:
        sent = read(NewActivitySerializer, request.data)
        check = asking_again(self, request)
        new = add_activity(group_id=group_id, user_id=sent["userId"], activity=sent["activity"], check=check)
        self.made = new.pk
        return self.answer_again(request, new.pk, 201, group_id=group_id)

    def answer_again(self, request: Request, made: int, status: int, group_id: int) -> Response:
        if Group.objects.visible_to(caller_of(request)).filter(pk=group_id).exists():
            return self.current(group_id, status=status)
        rows = Activity.objects.filter(pk=made).values(*ActivitySerializer.columns)
        return Response(list(map(ActivitySerializer.shape, rows)), status=status)
