"""The doors of /api/users."""

from django.db import transaction
from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet, ViewSet

from core.preconditions import conditional
from core.prepared import prepared_shapes
from core.shown import shows
from core.wire import read
from users.api.idempotent import AnswersAgain, idempotent
from users.api.permissions import IsAuthenticated, IsSelf, MayChangePerson, PermissionsByAction
from users.api.serializers import (
    CountSerializer,
    NotificationChangesSerializer,
    NotificationChoicesSerializer,
    PersonSerializer,
    ProfileSerializer,
    SearchSerializer,
    SignUpSerializer,
    UserChangesSerializer,
    UserSerializer,
    shape_for,
)
from users.api.standing import ask_again, asking_again
from users.api.throttles import SignUpThrottle
from users.callers import caller_of, is_whole_for, token_identity
from users.models import User, UserQuerySet
from users.notification_choices import choices_of, choose
from users.services import delete_row, sign_up
from users.sign_in.binding import sign_up_as

whole = prepared_shapes(lambda user_ids: User.objects.filter(pk__any=user_ids), UserSerializer)
profile = prepared_shapes(lambda user_ids: User.objects.filter(pk__any=user_ids), ProfileSerializer)


class UserViewSet(AnswersAgain, PermissionsByAction, GenericViewSet[User]):
    throttle_classes = (SignUpThrottle.on("create"),)
    action_permissions = {"create": IsAuthenticated, "update": MayChangePerson, "destroy": IsSelf}
    ordering = ("id",)
    row_keys = ("id",)
    serializer_class = UserSerializer

    def get_queryset(self) -> UserQuerySet:
        return User.objects.get_queryset()

    @extend_schema(summary="All people", parameters=[SearchSerializer], responses=PersonSerializer(many=True))
    def list(self, request: Request) -> Response:
        query = read(SearchSerializer, request.query_params)
        people = self.get_queryset().order_by(*self.ordering)
        if "search" in query:
            people = people.matching(query["search"])
        page = self.paginate_queryset(people.values(*UserSerializer.columns)) or []
        return self.get_paginated_response([shape_for(caller_of(request), row) for row in page])

    @extend_schema(
        summary="Sign up, or find oneself",
        request=SignUpSerializer,
        responses={
            201: UserSerializer,
            200: OpenApiResponse(UserSerializer, "The person with this email, unchanged."),
        },
    )
    @idempotent(asks_vendor=True)
    def create(self, request: Request) -> Response:
        sent = read(SignUpSerializer, request.data)
        identity = token_identity(request)
        user, is_new = sign_up_as(identity, **sent) if identity else sign_up(**sent)
        self.made = self.owner_id = user.pk
        return Response(UserSerializer(user).data, status=201 if is_new else 200)

    def answer_again(self, request: Request, made: int, status: int) -> Response:
        return Response(UserSerializer(get_object_or_404(User, pk=made)).data, status=status)

    @extend_schema(summary="One person", responses=PersonSerializer)
    def retrieve(self, request: Request, user_id: int) -> Response:
        is_whole = is_whole_for(caller_of(request), user_id)
        people = (whole if is_whole else profile)([user_id])
        if not people:
            raise Http404
        shows(self, request, user_id, people=[user_id], is_whole=is_whole)
        return Response(people[0])

    @extend_schema(
        summary="Change a person",
        description='Another person\'s `{"callStatus": false}` is answered with their Profile, and changes nothing.',
        request=UserChangesSerializer,
        responses=PersonSerializer,
    )
    @conditional
    def update(self, request: Request, user_id: int) -> Response:
        if not is_whole_for(caller_of(request), user_id):
            return self.retrieve(request, user_id)
        with transaction.atomic():
            user = get_object_or_404(self.get_queryset().select_for_update(no_key=True), pk=user_id)
            ask_again(self, request)
            if not is_whole_for(caller_of(request), user_id):  # staff no more
                return self.retrieve(request, user_id)
            body = UserChangesSerializer(user, data=request.data)
            body.is_valid(raise_exception=True)
            return Response(UserSerializer(body.save()).data)

    @extend_schema(summary="Delete a person", responses={200: CountSerializer})
    @conditional
    def destroy(self, request: Request, user_id: int) -> Response:
        delete_row(self.get_queryset(), user_id, check=asking_again(self, request))
        return Response(CountSerializer({"count": "1 user deleted"}).data)


class NotificationChoicesViewSet(ViewSet):
    permission_classes = (IsSelf,)

    @extend_schema(summary="By which ways the person is told", responses=NotificationChoicesSerializer)
    def retrieve(self, request: Request, user_id: int) -> Response:
        get_object_or_404(User.objects.only("pk"), pk=user_id)
        return Response(NotificationChoicesSerializer(choices_of(user_id)).data)

    @extend_schema(
        summary="Choose by which ways the person is told",
        request=NotificationChangesSerializer,
        responses=NotificationChoicesSerializer,
    )
    @conditional
    def update(self, request: Request, user_id: int) -> Response:
        choices = read(NotificationChangesSerializer, request.data)
        chosen = choose(user_id=user_id, check=asking_again(self, request), **choices)
        return Response(NotificationChoicesSerializer(chosen).data)
