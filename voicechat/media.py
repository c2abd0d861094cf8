"""The sandbox's images. In production they are at Cloudinary."""

from django.conf import settings
from django.core.exceptions import SuspiciousFileOperation
from django.http import FileResponse, Http404, HttpRequest
from django.views.decorators.http import require_safe
from django.views.static import serve


@require_safe
def media(request: HttpRequest, name: str) -> FileResponse:
    try:
        response = serve(request, name, document_root=str(settings.MEDIA_ROOT))
    except SuspiciousFileOperation as error:
        raise Http404 from error
    if not isinstance(response, FileResponse):
        raise Http404
    return response
