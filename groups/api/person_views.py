"""The doors of a person's groups."""

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.shown import shows
from groups.api.detailed import AROUND, groups_around
from groups.api.detailed_serializers import DetailedSerializer
from groups.api.pages import PagesViewSet
from groups.api.serializers import RefSerializer
from groups.models import GroupPerson, Invitation, Membership, Ownership
from users.api.permissions import IsSelf
from users.models import User


class UserGroupsViewSet(PagesViewSet):
    """A person's groups."""

    permission_classes = (IsSelf,)
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

    def refs(self, people: type[GroupPerson], user_id: int) -> Response:
        rows = people.objects.filter(user_id=user_id).order_by("id")
        return self.page_of(rows, RefSerializer, owners=User.objects.get_queryset(), owner_id=user_id)

    @extend_schema(summary="A person with everything around their groups", responses=DetailedSerializer)
    def detailed(self, request: Request, user_id: int) -> Response:
        row = get_object_or_404(User.objects.values(*DetailedSerializer.columns), pk=user_id)
        around = groups_around(user_id)
        groups = [group for listed in around.values() for group in listed]
        people = (person["id"] for group in groups for name in AROUND for person in group[name])
        shows(
            self,
            request,
            user_id,
            groups=(group["groupId"] for group in groups),
            people=(user_id, *people),
            parts_of=user_id,
        )
        return Response({**DetailedSerializer.shape(row), **around})
