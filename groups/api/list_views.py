"""The doors of a group's four lists of people."""

from collections.abc import Callable
from typing import ClassVar

from django.http import Http404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.preconditions import conditional
from core.rows import RowSerializer
from core.wire import MOST_LISTED
from groups.api import polled
from groups.api.detailed_serializers import (
    DetailedInviteeSerializer,
    DetailedMemberSerializer,
    DetailedOwnerSerializer,
    DetailedPersonSerializer,
)
from groups.api.pages import PagesViewSet
from groups.api.permissions import (
    ANYBODY,
    EVERYBODY_THERE,
    NOBODY,
    ONESELF,
    OWNERS,
    MayInGroup,
    MayLeave,
    NamesPerson,
    Rule,
)
from groups.api.serializers import GroupPersonSerializer
from groups.models import Group, GroupPerson, Invitation, Membership, Ownership, Participant
from groups.services import add_person, remove_person
from users.api.idempotent import AnswersAgain, idempotent
from users.api.permissions import PermissionsByAction
from users.api.serializers import UserIdSerializer
from users.api.standing import asking_again
from users.callers import caller_of
from users.models import User

AS_CONTACTS = "Who is on the list, as contacts"


class GroupPersonViewSet(NamesPerson, AnswersAgain, PermissionsByAction, PagesViewSet):
    """One of a group's lists of people; the four below say which."""

    permission_classes = (MayInGroup,)
    action_permissions = {"destroy": MayLeave}
    has_left = False
    """Whether who leaves had left already when they were let in."""
    rules: ClassVar[dict[str, Rule]]
    people: ClassVar[type[GroupPerson]]
    detailed_serializer: ClassVar[type[DetailedPersonSerializer]]
    ordering = ("id",)
    row_keys = ("id",)
    serializer_class = GroupPersonSerializer

    def current(self, group_id: int, status: int = 200) -> Response:
        """The list, in one query where it is not a very long one; 404 where there is no such group."""
        rows = polled.linked[self.people]([group_id])
        if not rows:
            raise Http404
        if len(rows) > MOST_LISTED:
            return self.page_as(GroupPersonSerializer, group_id, status)
        return Response([row for row in rows if row["userId"] is not None], status=status)

    @extend_schema(summary="Who is on the list", responses=GroupPersonSerializer(many=True))
    def list(self, request: Request, group_id: int) -> Response:
        if request.GET:
            return self.page_as(GroupPersonSerializer, group_id)
        return self.shown(self.current(group_id), group_id)

    @extend_schema(
        summary="Put a person on the list",
        request=UserIdSerializer,
        responses={
            201: GroupPersonSerializer(many=True),
            200: OpenApiResponse(GroupPersonSerializer(many=True), "Already on the list."),
        },
    )
    @idempotent()
    def create(self, request: Request, group_id: int) -> Response:
        caller = caller_of(request)
        is_new = add_person(
            group_id=group_id,
            user_id=self.named_person,
            people=self.people,
            members_only=not caller.is_staff,
            check=asking_again(self, request),
            by=caller if isinstance(caller, User) else None,
        )
        return self.current(group_id, status=201 if is_new else 200)

    def answer_again(self, request: Request, made: None, status: int, group_id: int) -> Response:
        return self.current(group_id, status)

    @extend_schema(
        summary="Take a person off the list",
        description="Someone who is not on it changes nothing. The last owner stays: 409 `last_owner`. Who leaves "
        "again within ten minutes, for the answer was lost, is answered an empty list.",
        responses={200: GroupPersonSerializer(many=True)},
    )
    @conditional
    def destroy(self, request: Request, group_id: int, user_id: int) -> Response:
        check = asking_again(self, request)
        self.remove(group_id=group_id, user_id=user_id, by=caller_of(request).pk, check=check)
        return Response([]) if self.has_left else self.current(group_id)

    def remove(self, *, group_id: int, user_id: int, by: int | None, check: Callable[[], None]) -> None:
        remove_person(group_id=group_id, user_id=user_id, people=self.people, by=by, check=check)

    def contacts(self, group_id: int) -> Response:
        """The list with what people of a group may see of each other."""
        return self.page_as(self.detailed_serializer, group_id)

    def page_as(self, serializer: type[RowSerializer], group_id: int, status: int = 200) -> Response:
        rows = self.people.objects.filter(group_id=group_id).order_by("id")
        return self.page_of(rows, serializer, owners=Group.objects.all(), owner_id=group_id, status=status)


class OwnerViewSet(GroupPersonViewSet):
    people, detailed_serializer = Ownership, DetailedOwnerSerializer
    rules = {"list": EVERYBODY_THERE, "detailed": EVERYBODY_THERE, "create": OWNERS, "destroy": OWNERS}

    @extend_schema(summary=AS_CONTACTS, responses=DetailedOwnerSerializer(many=True))
    def detailed(self, request: Request, group_id: int) -> Response:
        return self.contacts(group_id)


class MemberViewSet(GroupPersonViewSet):
    people, detailed_serializer = Membership, DetailedMemberSerializer
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
    counted = ("create",)
    people, detailed_serializer = Invitation, DetailedInviteeSerializer
    rules = {
        "list": EVERYBODY_THERE,
        "detailed": EVERYBODY_THERE,
        "create": OWNERS,
        "destroy": Rule(owner=ANYBODY, member=ONESELF, invitee=ONESELF),
    }

    @extend_schema(summary=AS_CONTACTS, responses=DetailedInviteeSerializer(many=True))
    def detailed(self, request: Request, group_id: int) -> Response:
        return self.contacts(group_id)


class ParticipantViewSet(GroupPersonViewSet):
    """What does not touch the call itself: the rest is in `voice/api/participant_views.py`."""

    people = Participant
    rules = {
        "list": EVERYBODY_THERE,
        "create": Rule(owner=ONESELF, member=ONESELF, invitee=NOBODY),
        "destroy": Rule(owner=ANYBODY, member=ONESELF, invitee=NOBODY),
        "clear": OWNERS,
    }
