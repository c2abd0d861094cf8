"""The sandbox's images. In production they are at Cloudinary."""

from django.conf import settings
from django.core.exceptions import SuspiciousFileOperation
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.views.static import serve

from voicechat.errors import reads_only


@reads_only
def media(request: HttpRequest, name: str) -> HttpResponseBase:
    try:
        return serve(request, name, document_root=str(settings.MEDIA_ROOT))
    except (SuspiciousFileOperation, OSError) as error:  # a name that is too long is an OSError
        raise Http404 from error
