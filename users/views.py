"""The doors of /api/users."""

from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from users.models import User, UserQuerySet
from users.prepared import prepared
from users.serializers import (
    ACCOUNT_COLUMNS,
    AccountSerializer,
    CountSerializer,
    SearchSerializer,
    SignUpSerializer,
    UserChangesSerializer,
    account_shape,
    account_shape_of,
)
from users.services import delete_row, sign_up
from users.wire import read

accounts = prepared(lambda user_ids: User.objects.filter(pk__in=user_ids), ACCOUNT_COLUMNS)


class UserViewSet(GenericViewSet[User]):
    ordering = ("id",)
    row_keys = ("id",)
    serializer_class = AccountSerializer

    def get_queryset(self) -> UserQuerySet:
        return User.objects.get_queryset()

    @extend_schema(summary="All people", parameters=[SearchSerializer], responses=AccountSerializer(many=True))
    def list(self, request: Request) -> Response:
        query = read(SearchSerializer, request.query_params)
        people = self.get_queryset().order_by(*self.ordering)
        if "search" in query:
            people = people.matching(query["search"])
        page = self.paginate_queryset(people.values(*ACCOUNT_COLUMNS)) or []
        return self.get_paginated_response([account_shape(row) for row in page])

    @extend_schema(
        summary="Sign up, or find oneself",
        request=SignUpSerializer,
        responses={
            201: AccountSerializer,
            200: OpenApiResponse(AccountSerializer, "The person with this email, unchanged."),
        },
    )
    def create(self, request: Request) -> Response:
        user, is_new = sign_up(**read(SignUpSerializer, request.data))
        return Response(account_shape_of(user), status=201 if is_new else 200)

    @extend_schema(summary="One person")
    def retrieve(self, request: Request, user_id: int) -> Response:
        rows = accounts([user_id])
        if not rows:
            raise Http404
        return Response(account_shape(rows[0]))

    @extend_schema(summary="Change a person", request=UserChangesSerializer)
    def update(self, request: Request, user_id: int) -> Response:
        user = get_object_or_404(self.get_queryset(), pk=user_id)
        body = UserChangesSerializer(user, data=request.data)
        body.is_valid(raise_exception=True)
        return Response(account_shape_of(body.save()))

    @extend_schema(summary="Delete a person", responses={200: CountSerializer})
    def destroy(self, request: Request, user_id: int) -> Response:
        delete_row(self.get_queryset(), user_id)
        return Response({"count": "1 user deleted"})
