"""Twilio's webhooks are let in by Twilio's signature alone. https://www.twilio.com/docs/usage/security"""

from django.conf import settings
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from voice.telephony import telephony


class SignedByTwilio(BasePermission):
    """Required whenever Twilio is configured. The sandbox of open mode lets an unsigned request in, so that curl works;
    a wrong signature is refused everywhere."""

    message = "This is not signed by Twilio."
    code = "signature_invalid"

    def has_permission(self, request: Request, view: APIView) -> bool:
        signature = request.headers.get("X-Twilio-Signature")
        if signature is None:
            return settings.OPEN_MODE and telephony().name == "sandbox"
        params = request._request.POST if request.method == "POST" else {}
        return any(telephony().is_signed(url=url, params=params, signature=signature) for url in self.urls(request))

    def urls(self, request: Request) -> tuple[str, str]:
        """The address as Twilio knows it, in both slash forms. Never by the Host header, which the caller writes."""
        path, mark, query = request.get_full_path().partition("?")
        base = f"{settings.PUBLIC_URL}{path.rstrip('/')}"
        return f"{base}{mark}{query}", f"{base}/{mark}{query}"
