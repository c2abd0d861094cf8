"""The doors of invitations by link."""

from typing import Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from core.preconditions import conditional
from core.wire import read
from groups.api.pages import PagesViewSet
from groups.api.permissions import OWNERS, MayInGroup
from groups.api.serializers import GroupSerializer
from groups.invitations import tokens
from groups.invitations.serializers import (
    NOBODY_NAMED,
    AcceptanceSerializer,
    InvitationLinkSerializer,
    MadeInvitationLinkSerializer,
    NewInvitationLinkSerializer,
    OpenInvitationSerializer,
)
from groups.invitations.services import accept, delete_link, make_link
from groups.invitations.throttles import TokenThrottle
from groups.models import Group, InvitationLink
from users.api.idempotent import AnswersAgain, idempotent
from users.api.serializers import CountSerializer
from users.api.standing import asking_again
from users.callers import caller_of
from users.limits import of_caller
from users.models import User

TOKEN = OpenApiParameter(
    "token", str, OpenApiParameter.PATH, pattern=f"^[A-Za-z0-9_-]{{{tokens.LENGTH}}}$", description="Of the link."
)


class InvitationLinkViewSet(AnswersAgain, PagesViewSet):
    counted = ("create",)
    permission_classes = (MayInGroup,)
    rules = {"list": OWNERS, "create": OWNERS, "destroy": OWNERS}
    ordering = ("id",)
    row_keys = ("id",)
    serializer_class = InvitationLinkSerializer

    @extend_schema(summary="The links by which people may join", responses=InvitationLinkSerializer(many=True))
    def list(self, request: Request, group_id: int) -> Response:
        rows = InvitationLink.objects.lasting(now=timezone.now()).filter(group_id=group_id).order_by("id")
        return self.page_of(rows, InvitationLinkSerializer, owners=Group.objects.all(), owner_id=group_id)

    @extend_schema(
        summary="Make a link by which people may join",
        description="Where an email or a phoneNumber is named, it is sent there.",
        request=NewInvitationLinkSerializer,
        responses={201: MadeInvitationLinkSerializer},
    )
    @idempotent()
    def create(self, request: Request, group_id: int) -> Response:
        caller = caller_of(request)
        link, token = make_link(
            group_id=group_id,
            maker=caller if isinstance(caller, User) else None,
            who=of_caller(request),
            now=timezone.now(),
            check=asking_again(self, request),
            **read(NewInvitationLinkSerializer, request.data),
        )
        self.made = link.pk
        return made(link, token)

    def answer_again(self, request: Request, made_link: int, status: int, group_id: int) -> Response:
        link = get_object_or_404(InvitationLink.objects.filter(group_id=group_id), pk=made_link)
        token = tokens.token_of(link)
        if token is None:
            raise Http404
        return made(link, token, status)

    @extend_schema(summary="Have a link let nobody in any more", responses={200: CountSerializer})
    @conditional
    def destroy(self, request: Request, group_id: int, link_id: int) -> Response:
        delete_link(group_id=group_id, link_id=link_id, check=asking_again(self, request))
        return Response(CountSerializer({"count": "1 invitation link deleted"}).data)


def made(link: InvitationLink, token: str, status: int = 201) -> Response:
    row = {name: getattr(link, name) for name in InvitationLinkSerializer.columns}
    shown = {**row, "url": tokens.address(token), "token": token}
    return Response(MadeInvitationLinkSerializer.shape(shown), status=status)


class OfTokenViewSet(ViewSet):
    # What is asked by a token, which nobody is to keep or pass on. A docstring would be each view's, in the document.

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        final = super().finalize_response(request, response, *args, **kwargs)
        final["Cache-Control"], final["Referrer-Policy"] = "no-store", "no-referrer"
        return final


class OpenInvitationViewSet(OfTokenViewSet):
    authentication_classes = ()  # the same to everybody, whatever their token
    permission_classes = ()
    throttle_classes = (TokenThrottle.on("retrieve"),)

    @extend_schema(summary="What one is invited to", parameters=[TOKEN], responses=OpenInvitationSerializer)
    def retrieve(self, request: Request, token: str) -> Response:
        links = InvitationLink.objects.open(now=timezone.now()).filter(digest=tokens.digest(token))
        row = get_object_or_404(links.values(*OpenInvitationSerializer.columns))
        return Response(OpenInvitationSerializer.shape(row))


class AcceptanceViewSet(AnswersAgain, OfTokenViewSet):
    throttle_classes = (TokenThrottle.on("create"),)

    @extend_schema(
        summary="Join by a link",
        description="Who is in the group already is answered it, unchanged, and uses nothing up. In open mode `userId` "
        "says who joins.",
        parameters=[TOKEN],
        request=AcceptanceSerializer,
        responses={200: GroupSerializer},
    )
    @idempotent()
    def create(self, request: Request, token: str) -> Response:
        group = accept(token=token, user_id=who_joins(request), now=timezone.now(), check=asking_again(self, request))
        self.made = group.pk
        return Response(GroupSerializer(group).data)

    def answer_again(self, request: Request, made: int, status: int, token: str) -> Response:
        group = get_object_or_404(Group.objects.visible_to(caller_of(request)), pk=made)
        return Response(GroupSerializer(group).data, status=status)


def who_joins(request: Request) -> int:
    """Oneself alone, where somebody is signed in; in open mode whom the body names."""
    caller, named = caller_of(request), read(AcceptanceSerializer, request.data).get("userId")
    if isinstance(caller, User):
        if named not in (None, caller.pk):
            raise PermissionDenied("A link is accepted by each for themself.")
        return caller.pk
    if named is None:
        raise ValidationError({"userId": NOBODY_NAMED})
    return int(named)
