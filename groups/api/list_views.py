"""The doors of a group's four lists of people."""

from functools import partial
from typing import Any, ClassVar

from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from core.wire import read, stamp
from groups.api import polled
from groups.api.permissions import ANYBODY, EVERYBODY_THERE, NOBODY, ONESELF, OWNERS, MayInGroup, Rule
from groups.api.serializers import (
    DetailedMemberSerializer,
    DetailedOwnerSerializer,
    GroupPersonSerializer,
    InviteeSerializer,
    contact,
    group_person_shape,
)
from groups.models import (
    CONTACT_COLUMNS,
    Group,
    GroupPerson,
    Invitation,
    Membership,
    Ownership,
    Participant,
)
from groups.services import add_person, remove_person
from users.api.serializers import UserIdSerializer
from users.callers import caller_of

AS_CONTACTS = "Who is on the list, as contacts"


class GroupPersonViewSet(GenericViewSet[Any]):
    """One of a group's lists of people; the four below say which."""

    permission_classes = (MayInGroup,)
    rules: ClassVar[dict[str, Rule]]
    people: ClassVar[type[GroupPerson]]
    related_name: ClassVar[str]
    stamp_key: ClassVar[str]
    ordering = ("id",)
    row_keys = ("id",)
    serializer_class = GroupPersonSerializer

    def links(self, group_id: int) -> list[dict[str, Any]]:
        """The whole list in one query; 404 where there is no such group."""
        rows = polled.linked[self.related_name]([group_id])
        if not rows:
            raise Http404
        return [group_person_shape(row) for row in rows if row["user_id"] is not None]

    @extend_schema(summary="Who is on the list", responses=GroupPersonSerializer(many=True))
    def list(self, request: Request, group_id: int) -> Response:
        if not request.GET:
            return Response(self.links(group_id))
        page = self.paginate_queryset(self.people.objects.filter(group_id=group_id).order_by("id").links())
        if not page:
            get_object_or_404(Group.objects.only("pk"), pk=group_id)
            page = []
        return self.get_paginated_response([group_person_shape(row) for row in page])

    @extend_schema(
        summary="Put a person on the list",
        request=UserIdSerializer,
        responses={
            201: GroupPersonSerializer(many=True),
            200: OpenApiResponse(GroupPersonSerializer(many=True), "Already on the list."),
        },
    )
    def create(self, request: Request, group_id: int) -> Response:
        get_object_or_404(Group.objects.only("pk"), pk=group_id)
        sent = read(UserIdSerializer, request.data)
        is_new = add_person(
            group_id=group_id,
            user_id=sent["userId"],
            people=self.people,
            members_only=not caller_of(request).is_staff,
            check=partial(self.check_permissions, request),
        )
        return Response(self.links(group_id), status=201 if is_new else 200)

    @extend_schema(
        summary="Take a person off the list",
        description="Someone who is not on it changes nothing. The last owner stays: 409 `last_owner`.",
        responses={200: GroupPersonSerializer(many=True)},
    )
    def destroy(self, request: Request, group_id: int, user_id: int) -> Response:
        self.remove(group_id=group_id, user_id=user_id, by=caller_of(request).pk)
        return Response(self.links(group_id))

    def remove(self, *, group_id: int, user_id: int, by: int | None) -> None:
        remove_person(group_id=group_id, user_id=user_id, people=self.people, by=by)

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


class OwnerViewSet(GroupPersonViewSet):
    people, related_name, stamp_key = Ownership, "ownerships", "ownerCreatedAt"
    rules = {"list": EVERYBODY_THERE, "detailed": EVERYBODY_THERE, "create": OWNERS, "destroy": OWNERS}

    @extend_schema(summary=AS_CONTACTS, responses=DetailedOwnerSerializer(many=True))
    def detailed(self, request: Request, group_id: int) -> Response:
        return self.contacts(group_id)


class MemberViewSet(GroupPersonViewSet):
    people, related_name, stamp_key = Membership, "memberships", "memberCreatedAt"
    rules = {
        "list": EVERYBODY_THERE,
        "detailed": EVERYBODY_THERE,
        "create": Rule(owner=ONESELF, member=ONESELF, invitee=ONESELF),  # nobody is added against their will
        "destroy": Rule(owner=ANYBODY, member=ONESELF, invitee=NOBODY),
    }

    @extend_schema(summary=AS_CONTACTS, responses=DetailedMemberSerializer(many=True))
    def detailed(self, request: Request, group_id: int) -> Response:
        return self.contacts(group_id)


class InviteeViewSet(GroupPersonViewSet):
    people, related_name, stamp_key = Invitation, "invitations", "inviteCreatedAt"
    rules = {
        "list": EVERYBODY_THERE,
        "detailed": EVERYBODY_THERE,
        "create": OWNERS,
        "destroy": Rule(owner=ANYBODY, member=ONESELF, invitee=ONESELF),
    }

    @extend_schema(summary=AS_CONTACTS, responses=InviteeSerializer(many=True))
    def detailed(self, request: Request, group_id: int) -> Response:
        return self.contacts(group_id)


class ParticipantViewSet(GroupPersonViewSet):
    """What does not touch the call itself: the rest is in `voice/api/participant_views.py`."""

    people, related_name, stamp_key = Participant, "participants", "participantCreatedAt"
    rules = {
        "list": EVERYBODY_THERE,
        "create": Rule(owner=ONESELF, member=ONESELF, invitee=NOBODY),
        "destroy": Rule(owner=ANYBODY, member=ONESELF, invitee=NOBODY),
        "clear": OWNERS,
    }
