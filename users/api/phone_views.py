"""The doors of a person's verified telephone."""

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from core.preconditions import conditional
from core.wire import read
from users.api.idempotent import AnswersAgain, idempotent
from users.api.permissions import IsSelf
from users.api.phone_serializers import (
    CheckCodeSerializer,
    PendingVerificationSerializer,
    StartVerificationSerializer,
    VerifiedNumberSerializer,
)
from users.api.serializers import CountSerializer, UserSerializer
from users.api.standing import asking_again
from users.models import User, VerifiedNumber
from users.verification.services import check_code, forget_number, start_verification


class PhoneVerificationViewSet(AnswersAgain, ViewSet):
    permission_classes = (IsSelf,)
    counted = ("create",)

    @extend_schema(
        summary="Send a code to a telephone",
        request=StartVerificationSerializer,
        responses={202: OpenApiResponse(PendingVerificationSerializer, "The code is sent, and waited for.")},
    )
    @idempotent(asks_vendor=True)
    def create(self, request: Request, user_id: int) -> Response:
        sent, check = read(StartVerificationSerializer, request.data), asking_again(self, request)
        pending = start_verification(user_id=user_id, **sent, now=timezone.now(), check=check)
        self.made, self.owner_id = PendingVerificationSerializer(pending).data, user_id
        return Response(self.made, status=202)

    @extend_schema(summary="Type in the code", request=CheckCodeSerializer, responses=UserSerializer)
    @idempotent(asks_vendor=True)
    def check(self, request: Request, user_id: int) -> Response:
        code, check = read(CheckCodeSerializer, request.data)["code"], asking_again(self, request)
        person = check_code(user_id=user_id, code=code, now=timezone.now(), check=check)
        self.owner_id = user_id
        return Response(UserSerializer(person).data)

    def answer_again(self, request: Request, made: dict[str, str] | None, status: int, *, user_id: int) -> Response:
        """The number is verified by now: what was sent stands as it was answered."""
        if made is None:
            return Response(UserSerializer(get_object_or_404(User, pk=user_id)).data, status=status)
        # PostgreSQL keeps them in an order of its own
        in_order = {name: made[name] for name in PendingVerificationSerializer().get_fields()}
        return Response(in_order, status=status)

    @extend_schema(summary="Which telephone is verified", responses=VerifiedNumberSerializer)
    def retrieve(self, request: Request, user_id: int) -> Response:
        person = get_object_or_404(User.objects.only("pk"), pk=user_id)
        verified = VerifiedNumber.objects.filter(user=person).first()
        return Response(VerifiedNumberSerializer(verified or {"number": None, "verified_at": None}).data)

    @extend_schema(
        summary="Forget the verified telephone",
        description="The person's `phoneNumber` stays.",
        responses={200: CountSerializer},
    )
    @conditional
    def destroy(self, request: Request, user_id: int) -> Response:
        count = forget_number(user_id=user_id, check=asking_again(self, request))
        return Response(
            CountSerializer({"count": f"{count} verified number{'' if count == 1 else 's'} forgotten"}).data
        )
