"""What a browser may load for an answer, and who may frame it. https://www.w3.org/TR/CSP3/"""

import re

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from users.unsubscribing import PATH as UNSUBSCRIBE_PATH
from voicechat.middleware import Middleware

NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""For data, errors and images: nothing in them is to be run, and nothing is to be fetched for them."""

OWN = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; connect-src 'self'; script-src 'self'"
LETTER_PATH = re.compile(r"/admin/notifications/sandboxemail/[0-9]+/letter/")
STYLE_IN_THE_DOCS = "sha256-MMpT0iDxyjALd9PdfepImGX3DBfJPXZ4IlDWdPAgtn0="  # the one that is in the page, in no file
ADMIN = f"{OWN}; form-action 'self'; img-src 'self'; style-src 'self'"
UNSUBSCRIBE = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'; style-src 'self'"
LETTER = f"{NOTHING}; style-src 'unsafe-inline'; sandbox"
"""For an e-mail that the sandbox has kept: as a mail program shows it, whatever stands in it."""
DOCS = f"{OWN}; form-action 'none'; img-src 'self' data:; style-src 'self' '{STYLE_IN_THE_DOCS}'"


class ContentSecurityMiddleware(Middleware):
    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response["Content-Security-Policy"] = policy(request.path_info)
        return response


def policy(path: str) -> str:
    if LETTER_PATH.fullmatch(path):
        return LETTER
    if path.rstrip("/") == UNSUBSCRIBE_PATH:
        return UNSUBSCRIBE
    if path.startswith("/admin/"):
        return ADMIN
    return DOCS if path in ("/api/docs", "/api/docs/") else NOTHING
