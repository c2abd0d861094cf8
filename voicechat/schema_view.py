"""The door of the OpenAPI document: made once in each process, for it is a quarter of a second's work."""

from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer

from core.preconditions import entity_tag, is_named
from voicechat.errors import reads_only


@cache
def document(*, open_mode: bool) -> tuple[bytes, str]:
    """The document and its ETag. Should it ever depend on the way of signing in, there is one for each."""
    made: Any = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    content: bytes = OpenApiJsonRenderer().render(made, None, {})
    return content, entity_tag(content, "")


@reads_only
def schema(request: HttpRequest) -> HttpResponse:
    content, etag = document(open_mode=settings.OPEN_MODE)
    headers = {"ETag": etag, "Cache-Control": "no-cache"}  # keep it, but ask each time
    if is_named(etag, request.headers.get("If-None-Match", "")):
        return HttpResponseNotModified(headers=headers)
    headers["Content-Disposition"] = 'inline; filename="Voice Chatroom.json"'
    return HttpResponse(content, content_type=OpenApiJsonRenderer.media_type, headers=headers)
