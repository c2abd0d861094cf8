"""What a browser may load for an answer, and who may frame it. https://www.w3.org/TR/CSP3/"""

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from voicechat.middleware import Middleware

NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""For data, errors and images: nothing in them is to be run, and nothing is to be fetched for them."""

OWN = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; connect-src 'self'; script-src 'self'"
STYLE_IN_THE_DOCS = "sha256-MMpT0iDxyjALd9PdfepImGX3DBfJPXZ4IlDWdPAgtn0="  # the one that is in the page, in no file
ADMIN = f"{OWN}; form-action 'self'; img-src 'self'; style-src 'self'"
DOCS = f"{OWN}; form-action 'none'; img-src 'self' data:; style-src 'self' '{STYLE_IN_THE_DOCS}'"


class ContentSecurityMiddleware(Middleware):
    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response["Content-Security-Policy"] = policy(request.path_info)
        return response


def policy(path: str) -> str:
    if path.startswith("/admin/"):
        return ADMIN
    return DOCS if path in ("/api/docs", "/api/docs/") else NOTHING
