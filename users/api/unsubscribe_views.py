"""The door of who wants no more e-mails."""

from typing import Any

from django.http import HttpResponse
from django.template.loader import render_to_string
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.viewsets import ViewSet

from core.throttle import Throttle
from core.wire import read
from users.unsubscribing import person_of, unsubscribe

HTML = "text/html"


class TokenSerializer(serializers.Serializer[Any]):
    token = serializers.CharField(max_length=128, trim_whitespace=False, help_text="As it stands in the e-mail.")


class UnsubscribeThrottle(Throttle):
    """By the address that asks: a mail provider's machines do so for many people."""

    scope = "unsubscribe"


class UnsubscribeViewSet(ViewSet):
    authentication_classes = ()
    permission_classes = ()  # the token is signed
    throttle_classes = (UnsubscribeThrottle.on("ask", "unsubscribe"),)

    @extend_schema(
        summary="The page that asks whether to send no more e-mails",
        description="It changes nothing: programs that look for harm follow every link of an e-mail.",
        parameters=[TokenSerializer],
        responses={(200, HTML): OpenApiTypes.STR},
    )
    def ask(self, request: Request) -> HttpResponse:
        person_of(token_of(request))
        return page(is_done=False)

    @extend_schema(
        summary="Send no more e-mails",
        description="By one click: of that page's button, or of a mail program's own (RFC 8058).",
        parameters=[TokenSerializer],
        request=None,
        responses={(200, HTML): OpenApiTypes.STR},
    )
    def unsubscribe(self, request: Request) -> HttpResponse:
        unsubscribe(token_of(request))
        return page(is_done=True)


def token_of(request: Request) -> str:
    token: str = read(TokenSerializer, request.query_params)["token"]
    return token


def page(*, is_done: bool) -> HttpResponse:
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}  # the token is in its address
    return HttpResponse(render_to_string("unsubscribe.html", {"is_done": is_done}), headers=headers)
