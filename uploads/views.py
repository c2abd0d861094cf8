"""The door of /api/upload."""

from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from core.throttle import Throttle
from core.wire import ConstantField
from uploads.images import ImageTooLarge, reencode
from uploads.models import Picture
from uploads.parsing import UploadParser
from uploads.storage import storage
from users.api.idempotent import AnswersAgain, idempotent
from users.api.standing import ask_again
from users.callers import Caller, caller_of
from users.models import User


def keep_in_mind(address: str, caller: Caller) -> None:
    """Or nobody could delete it with its person."""
    if name := storage().name_of(address):
        fields = {"name": name, "user": caller if isinstance(caller, User) else None}
        Picture.objects.update_or_create(address=address, defaults=fields)


class UploadThrottle(Throttle):
    scope = "uploads"


class ImageSerializer(serializers.Serializer[Any]):
    image = serializers.FileField(
        allow_empty_file=True,
        max_length=None,
        help_text="JPEG, PNG, WebP, GIF, HEIC, HEIF or AVIF, up to 5 MiB and 25 megapixels. Stored anew: upright, in "
        "sRGB, at most 1024 pixels wide and high, without metadata; HEIC, HEIF and AVIF as JPEG, or as PNG where "
        "something is transparent. The file's name and type are not looked at.",
    )


class UploadedSerializer(serializers.Serializer[Any]):
    message = ConstantField("Your image has been uploaded successfully")
    image = serializers.URLField()


class UploadViewSet(AnswersAgain, ViewSet):
    throttle_classes = (UploadThrottle.on("create"),)
    parser_classes = (UploadParser,)

    @extend_schema(summary="Upload an image", request=ImageSerializer, responses={200: UploadedSerializer})
    @idempotent(asks_vendor=True)
    def create(self, request: Request) -> Response:
        body = ImageSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        file: UploadedFile[Any] = body.validated_data["image"]
        if (file.size or 0) > settings.MAX_IMAGE:
            raise ImageTooLarge("The image is larger than 5 MiB.")
        content, extension = reencode(file.open())
        with transaction.atomic():
            ask_again(self, request)  # it may have waited for others
        url = storage().save(content, extension=extension)
        keep_in_mind(url, caller_of(request))
        self.made = url
        return self.answer_again(request, url, 200)

    def answer_again(self, request: Request, made: str, status: int) -> Response:
        return Response(UploadedSerializer({"image": made}).data, status=status)
