"""By which identity a client is known to Twilio."""

from typing import Any
from uuid import uuid4

from rest_framework import serializers
from rest_framework.request import Request

from core.wire import read
from users.callers import caller_of
from users.client_identity import IDENTITY, client_identity, person_with_identity
from users.models import User


class IdentitySerializer(serializers.Serializer[Any]):
    identity = serializers.RegexField(
        rf"^{IDENTITY}\Z",
        required=False,
        trim_whitespace=False,
        help_text="Letters, digits and underscores, up to 121. Without it, a fresh one.",
        error_messages={"invalid": "Use letters, digits and underscores, up to 121."},
    )


def caller_identity(request: Request) -> str:
    """Their own for who is signed in, whatever they ask for: the iOS app names its group. In open mode as asked.

    Raises AccountDisabled for the identity of somebody whose account is.
    """
    caller = caller_of(request)
    if isinstance(caller, User):
        return client_identity(caller.pk)
    asked: str = read(IdentitySerializer, request.query_params).get("identity") or f"guest_{uuid4().hex}"
    person_with_identity(asked)
    return asked
