"""Twilio's webhooks are let in by Twilio's signature alone. https://www.twilio.com/docs/usage/security"""

from django.conf import settings
from django.http import HttpRequest
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from users.api.permissions import ASK_NOTHING
from voice.api.unread import form_fields
from voice.telephony.interface import telephony


class SignedByTwilio(BasePermission):
    """Required whenever Twilio is configured or sign-in is on. The sandbox of open mode lets an unsigned request in, so
    that curl works; a wrong signature is refused everywhere."""

    message = "This is not signed by Twilio."
    code = "signature_invalid"

    def has_permission(self, request: Request, view: APIView) -> bool:
        if view.action in ASK_NOTHING:  # type: ignore[attr-defined]  # a view set's
            return True
        signature = request.headers.get("X-Twilio-Signature")
        if signature is None:
            return settings.OPEN_MODE and telephony().name == "sandbox"
        if not is_covered(request._request):
            return False
        params = form_fields(request._request) if request.method == "POST" else {}
        return any(telephony().is_signed(url=url, params=params, signature=signature) for url in self.urls(request))

    def urls(self, request: Request) -> tuple[str, str]:
        """The address as Twilio knows it, in both slash forms. Never by the Host header, which the caller writes."""
        path, mark, query = request.get_full_path().partition("?")
        base = f"{settings.PUBLIC_URL}{path.rstrip('/')}"
        return f"{base}{mark}{query}", f"{base}/{mark}{query}"


def is_covered(request: HttpRequest) -> bool:
    """Whether a signature speaks for all of the body: it is over the fields of a form, and over no other kind of body.

    It is over their names and values in one go: to it, `CallSid=CA1` and a field that is named `CallSidCA1` are the
    same. Twilio never leaves out the equals sign.
    """
    is_form = request.content_type == "application/x-www-form-urlencoded"
    return not request.body or (is_form and all(b"=" in field for field in request.body.split(b"&")))
