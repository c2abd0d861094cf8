"""The doors of /api/users/:id/export."""

from datetime import datetime
from io import BytesIO
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from core.throttle import Throttle
from users.api.permissions import IsSelf
from users.api.standing import asking_again
from users.models import Export, User
from voicechat.export.archive import write_export
from voicechat.export.contents import size_of
from voicechat.export.ordering import MOST_AT_ONCE, order_export, still_kept

ZIP = "application/zip"
ASK_AGAIN_IN = 5
"""Seconds."""


class ExportThrottle(Throttle):
    scope = "exports"


class OrderedExportSerializer(serializers.Serializer[Any]):
    location = serializers.CharField(help_text="Where the ZIP will be, for a day. Ask there after `Retry-After`.")


RESPONSES = {
    (200, ZIP): OpenApiResponse(OpenApiTypes.BINARY, "All that is kept about the person: JSON, and a README.txt."),
    202: OpenApiResponse(OrderedExportSerializer, "It is being made. `Location` says where it will be."),
}


class ExportViewSet(ViewSet):
    permission_classes = (IsSelf,)
    throttle_classes = (ExportThrottle.on("retrieve"),)

    @extend_schema(
        summary="All that is kept about the person",
        description="A ZIP; where there is very much, a job makes it, and it is at `Location` a little later.",
        responses=RESPONSES,
    )
    def retrieve(self, request: Request, user_id: int) -> HttpResponse:
        person, now = get_object_or_404(User, pk=user_id), timezone.now()
        if size_of(user_id, most=MOST_AT_ONCE) > MOST_AT_ONCE:
            return ordered(order_export(user_id=user_id, now=now, check=asking_again(self, request)))
        file = BytesIO()
        write_export(person, file, now=now)
        return as_zip(file.getvalue(), user_id, now)

    @extend_schema(summary="An export that a job has made", operation_id="users_exports_retrieve", responses=RESPONSES)
    def made(self, request: Request, user_id: int, export_id: UUID) -> HttpResponse:
        export = get_object_or_404(still_kept(timezone.now()), pk=export_id, user=user_id)
        if export.made_at is None or export.content is None:
            return ordered(export)
        return as_zip(bytes(export.content), user_id, export.made_at)


def ordered(export: Export) -> Response:
    where = reverse("export", kwargs={"user_id": export.user_id, "export_id": export.pk})
    headers = {"Location": where, "Retry-After": str(ASK_AGAIN_IN)}
    return Response(OrderedExportSerializer({"location": where}).data, status=202, headers=headers)


def as_zip(content: bytes, user_id: int, now: datetime) -> HttpResponse:
    name = f"voice-chatroom-{user_id}-{now:%Y-%m-%d}.zip"
    return HttpResponse(content, ZIP, headers={"Content-Disposition": f'attachment; filename="{name}"'})
