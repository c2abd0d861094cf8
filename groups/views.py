"""The doors of groups, their activities and their four lists, and of a person's groups."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from groups import polled
from groups.detailed import groups_around
from groups.models import (
    CONTACT_COLUMNS,
    Activity,
    Group,
    GroupQuerySet,
    Invitation,
    Link,
    Membership,
    Ownership,
    Participant,
)
from groups.serializers import (
    ACTIVITY_COLUMNS,
    GROUP_COLUMNS,
    ActivitySerializer,
    CallStatusChangeSerializer,
    CallStatusSerializer,
    DetailedMemberSerializer,
    DetailedOwnerSerializer,
    DetailedSerializer,
    GroupChangesSerializer,
    GroupSerializer,
    InviteeSerializer,
    LinkSerializer,
    NewActivitySerializer,
    NewGroupSerializer,
    PersonSerializer,
    RefSerializer,
    activity_shape,
    contact,
    group_shape,
    group_shape_of,
    link_shape,
)
from groups.services import add_activity, add_person, remove_everybody, remove_person
from users.models import User
from users.serializers import ACCOUNT_COLUMNS, CountSerializer, account_shape
from users.services import delete_row
from users.wire import read, stamp


class GroupViewSet(GenericViewSet[Group]):
    ordering = ("id",)
    row_keys = ("id",)
    serializer_class = GroupSerializer

    def get_queryset(self) -> GroupQuerySet:
        return Group.objects.all()

    @extend_schema(summary="All groups", responses=GroupSerializer(many=True))
    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset().order_by(*self.ordering).values(*GROUP_COLUMNS)) or []
        return self.get_paginated_response([group_shape(row) for row in page])

    @extend_schema(summary="Make a group", request=NewGroupSerializer, responses={201: GroupSerializer})
    def create(self, request: Request) -> Response:
        body = NewGroupSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(group_shape_of(body.save()), status=201)

    @extend_schema(summary="One group")
    def retrieve(self, request: Request, group_id: int) -> Response:
        return Response(group_shape(get_object_or_404(self.get_queryset().values(*GROUP_COLUMNS), pk=group_id)))

    @extend_schema(summary="Change a group", request=GroupChangesSerializer)
    def update(self, request: Request, group_id: int) -> Response:
        return self.change(group_id, GroupChangesSerializer, request)

    @extend_schema(summary="Delete a group", responses={200: CountSerializer})
    def destroy(self, request: Request, group_id: int) -> Response:
        delete_row(self.get_queryset(), group_id)
        return Response({"count": "1 group deleted"})

    @extend_schema(summary="Whether the group is on a call", responses=CallStatusSerializer)
    def call_status(self, request: Request, group_id: int) -> Response:
        rows = polled.call_status([group_id])
        if not rows:
            raise Http404
        return Response({"callStatus": rows[0]["call_status"]})

    @extend_schema(summary="Say whether the group is on a call", request=CallStatusChangeSerializer)
    def change_call_status(self, request: Request, group_id: int) -> Response:
        return self.change(group_id, CallStatusChangeSerializer, request)

    def change(self, group_id: int, serializer: type[CallStatusChangeSerializer], request: Request) -> Response:
        group = get_object_or_404(self.get_queryset(), pk=group_id)
        body = serializer(group, data=request.data)
        body.is_valid(raise_exception=True)
        return Response(group_shape_of(body.save()))


class ActivityViewSet(GenericViewSet[Activity]):
    ordering = ("-created_at", "-id")
    row_keys = ("created_at", "id")
    serializer_class = ActivitySerializer

    @extend_schema(summary="What happened in the group, newest first", responses=ActivitySerializer(many=True))
    def list(self, request: Request, group_id: int) -> Response:
        rows = self.page(group_id) if request.GET else polled.newest_activities([group_id])
        if not rows:  # one query tells the list; a second one only an empty list from no group
            get_object_or_404(Group.objects.only("pk"), pk=group_id)
        return self.get_paginated_response([activity_shape(row) for row in rows])

    def page(self, group_id: int) -> Sequence[dict[str, Any]]:
        rows = Activity.objects.filter(group_id=group_id).newest_first().values(*ACTIVITY_COLUMNS)
        return self.paginate_queryset(rows) or []

    @extend_schema(
        summary="Add an activity", request=NewActivitySerializer, responses={201: ActivitySerializer(many=True)}
    )
    def create(self, request: Request, group_id: int) -> Response:
        get_object_or_404(Group.objects.only("pk"), pk=group_id)
        sent = read(NewActivitySerializer, request.data)
        add_activity(group_id=group_id, user_id=sent["userId"], activity=sent["activity"])
        return Response([activity_shape(row) for row in polled.newest_activities([group_id])], status=201)


AS_CONTACTS = "Who is on the list, as contacts"


class LinkViewSet(GenericViewSet[Any]):
    """One of a group's lists of people; the four below say which."""

    people: ClassVar[type[Link]]
    related_name: ClassVar[str]
    stamp_key: ClassVar[str]
    ordering = ("id",)
    row_keys = ("id",)
    serializer_class = LinkSerializer

    def links(self, group_id: int) -> list[dict[str, Any]]:
        """The whole list in one query; 404 where there is no such group."""
        rows = polled.linked[self.related_name]([group_id])
        if not rows:
            raise Http404
        return [link_shape(row) for row in rows if row["user_id"] is not None]

    @extend_schema(summary="Who is on the list", responses=LinkSerializer(many=True))
    def list(self, request: Request, group_id: int) -> Response:
        if not request.GET:
            return Response(self.links(group_id))
        page = self.paginate_queryset(self.people.objects.filter(group_id=group_id).order_by("id").links())
        if not page:
            get_object_or_404(Group.objects.only("pk"), pk=group_id)
            page = []
        return self.get_paginated_response([link_shape(row) for row in page])

    @extend_schema(
        summary="Put a person on the list",
        request=PersonSerializer,
        responses={
            201: LinkSerializer(many=True),
            200: OpenApiResponse(LinkSerializer(many=True), "Already on the list."),
        },
    )
    def create(self, request: Request, group_id: int) -> Response:
        get_object_or_404(Group.objects.only("pk"), pk=group_id)
        sent = read(PersonSerializer, request.data)
        is_new = add_person(group_id=group_id, user_id=sent["userId"], people=self.people)
        return Response(self.links(group_id), status=201 if is_new else 200)

    @extend_schema(
        summary="Take a person off the list",
        description="Someone who is not on it changes nothing. The last owner stays: 409 `last_owner`.",
        responses={200: LinkSerializer(many=True)},
    )
    def destroy(self, request: Request, group_id: int, user_id: int) -> Response:
        remove_person(group_id=group_id, user_id=user_id, people=self.people)
        return Response(self.links(group_id))

    def contacts(self, group_id: int) -> Response:
        """The list with what people of a group may see of each other."""
        rows = self.people.objects.filter(group_id=group_id).order_by("id").contacts()
        page = self.paginate_queryset(rows)
        if not page:
            get_object_or_404(Group.objects.only("pk"), pk=group_id)
        return self.get_paginated_response([self.contact_shape(row) for row in page or []])

    def contact_shape(self, row: dict[str, Any]) -> dict[str, Any]:
        person = {column: row[f"user__{column}"] for column in CONTACT_COLUMNS}
        return {self.stamp_key: stamp(row["created_at"]), **contact(person)}


class OwnerViewSet(LinkViewSet):
    people, related_name, stamp_key = Ownership, "ownerships", "ownerCreatedAt"

    @extend_schema(summary=AS_CONTACTS, responses=DetailedOwnerSerializer(many=True))
    def detailed(self, request: Request, group_id: int) -> Response:
        return self.contacts(group_id)


class MemberViewSet(LinkViewSet):
    people, related_name, stamp_key = Membership, "memberships", "memberCreatedAt"

    @extend_schema(summary=AS_CONTACTS, responses=DetailedMemberSerializer(many=True))
    def detailed(self, request: Request, group_id: int) -> Response:
        return self.contacts(group_id)


class InviteeViewSet(LinkViewSet):
    people, related_name, stamp_key = Invitation, "invitations", "inviteCreatedAt"

    @extend_schema(summary=AS_CONTACTS, responses=InviteeSerializer(many=True))
    def detailed(self, request: Request, group_id: int) -> Response:
        return self.contacts(group_id)


class ParticipantViewSet(LinkViewSet):
    people, related_name, stamp_key = Participant, "participants", "participantCreatedAt"

    @extend_schema(
        summary="Take everybody off the list",
        operation_id="groups_callParticipants_clear",
        responses={200: CountSerializer},
    )
    def clear(self, request: Request, group_id: int) -> Response:
        removed = remove_everybody(group_id=group_id, people=self.people)
        return Response({"count": f"{removed} user(s) removed from participants"})


class UserGroupsViewSet(GenericViewSet[Any]):
    """A person's groups."""

    ordering = ("id",)
    row_keys = ("id",)
    serializer_class = RefSerializer

    @extend_schema(summary="Groups that the person owns", responses=RefSerializer(many=True))
    def owned(self, request: Request, user_id: int) -> Response:
        return self.refs(Ownership, user_id)

    @extend_schema(summary="Groups that the person is a member of", responses=RefSerializer(many=True))
    def belonged_to(self, request: Request, user_id: int) -> Response:
        return self.refs(Membership, user_id)

    @extend_schema(summary="Groups that the person is invited to", responses=RefSerializer(many=True))
    def invited_to(self, request: Request, user_id: int) -> Response:
        return self.refs(Invitation, user_id)

    def refs(self, people: type[Link], user_id: int) -> Response:
        rows = people.objects.filter(user_id=user_id).order_by("id").values("id", "group_id", "group__name")
        page = self.paginate_queryset(rows)
        if not page:
            get_object_or_404(User.objects.only("pk"), pk=user_id)
        refs = [{"groupId": row["group_id"], "GroupName": row["group__name"]} for row in page or []]
        return self.get_paginated_response(refs)

    @extend_schema(summary="A person with everything around their groups", responses=DetailedSerializer)
    def detailed(self, request: Request, user_id: int) -> Response:
        row = get_object_or_404(User.objects.values(*ACCOUNT_COLUMNS), pk=user_id)
        return Response({**account_shape(row), **groups_around(user_id)})
