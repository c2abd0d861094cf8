"""REST framework's question "who calls?", answered by a bearer token. https://www.rfc-editor.org/rfc/rfc6750"""

from django.conf import settings
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from users.callers import Everybody, Identity, Newcomer
from users.models import User
from users.sign_in.binding import person_signed_in_as
from users.sign_in.tokens import TokenInvalid, verify


class BearerAuthentication(BaseAuthentication):
    """The person whose token comes with the request, a Newcomer where it is nobody's, or in open mode Everybody."""

    def authenticate(self, request: Request) -> tuple[User | Newcomer | Everybody, Identity | None] | None:
        if settings.OPEN_MODE:
            return Everybody(), None
        header = request.headers.get("Authorization")
        if header is None:
            return None
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer":
            raise TokenInvalid("Sign in by a bearer token: Authorization: Bearer <token>.")
        identity = verify(token.strip(" "))
        return person_signed_in_as(identity), identity

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer error="invalid_token"' if "Authorization" in request.headers else "Bearer"
