"""The doors of devices and of what they are told."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from core.preconditions import conditional
from core.wire import read
from groups.api.permissions import THE_GROUP
from groups.models import Device, Group
from groups.notifications.announcements import notify_group
from groups.notifications.devices import register_device, unregister_device
from groups.notifications.permissions import MayNotify
from groups.notifications.serializers import (
    BindingSerializer,
    NotificationSerializer,
    OwnBindingSerializer,
    RegisterBindingSerializer,
    SentNotificationSerializer,
    UnregisterBindingSerializer,
)
from groups.notifications.throttles import DeviceThrottle, NotificationThrottle
from users.api.idempotent import AnswersAgain, idempotent
from users.api.identity import caller_identity
from users.api.permissions import PermissionsByAction
from users.api.serializers import CountSerializer
from users.api.standing import asking_again
from users.callers import caller_of
from users.models import User


class DeviceViewSet(AnswersAgain, PermissionsByAction, ViewSet):
    throttle_classes = (NotificationThrottle.on("notify"), DeviceThrottle.on("create"))
    action_permissions = {"notify": MayNotify}
    rules = {"notify": THE_GROUP}

    @extend_schema(
        summary="Register a device for notifications",
        request=RegisterBindingSerializer,
        responses={201: BindingSerializer},
    )
    @idempotent(asks_vendor=True)
    def create(self, request: Request) -> Response:
        device = register_device(**binding(request), now=timezone.now(), check=asking_again(self, request))
        self.made, self.owner_id = device.pk, device.user_id
        return Response(BindingSerializer(device).data, status=201)

    @extend_schema(
        summary="Forget a device of one's own",
        description="The names may stand in a body as well.",
        parameters=[UnregisterBindingSerializer],
        request=None,
        responses={200: CountSerializer},
    )
    @conditional
    def destroy(self, request: Request) -> Response:
        named = read(UnregisterBindingSerializer, request.data or request.query_params.dict())
        caller = caller_of(request)
        owner = caller if isinstance(caller, User) else None
        count = unregister_device(owner=owner, **named, check=asking_again(self, request))
        return Response(CountSerializer({"count": f"{count} device{'' if count == 1 else 's'} forgotten"}).data)

    def answer_again(self, request: Request, made: Any, status: int) -> Response:
        if self.action == "notify":
            return Response(made, status=status)
        return Response(BindingSerializer(get_object_or_404(Device, pk=made)).data, status=status)

    @extend_schema(
        summary="Notify a group's devices", request=NotificationSerializer, responses=SentNotificationSerializer
    )
    @idempotent(asks_vendor=True)
    def notify(self, request: Request) -> Response:
        sent = read(NotificationSerializer, request.data)
        group = get_object_or_404(Group.objects.all(), pk=sent["group_id"])
        sid, recipients = notify_group(group=group, body=sent["body"])
        notification = {"sid": sid, "group_id": group.pk, "recipients": recipients}
        self.made = SentNotificationSerializer(notification).data
        return Response(self.made)


def binding(request: Request) -> dict[str, Any]:
    """What to register a device for: who is signed in registers for themself, whatever identity they name."""
    if isinstance(caller_of(request), User):
        return {**read(OwnBindingSerializer, request.data), "identity": caller_identity(request)}
    return read(RegisterBindingSerializer, request.data)
