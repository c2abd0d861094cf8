"""The identity by which Twilio knows a person's apps: `u_12` is person 12, and only that form names a person.

https://www.twilio.com/docs/iam/access-tokens#step-2-grant-access
"""

import re

from rest_framework.exceptions import PermissionDenied

from users.models import User

IDENTITY = r"[A-Za-z0-9_]{1,121}"
CLIENT = "client:"


class AccountDisabled(PermissionDenied):
    default_code = "account_disabled"
    default_detail = "This account is disabled. Ask the operator."


def client_identity(user_id: int) -> str:
    return f"u_{user_id}"


def person_with_identity(identity: str) -> User | None:
    """Who is meant by an identity, or by Twilio's From ("client:u_12"); None where it names nobody.

    Raises AccountDisabled: no door is open to whom an operator has shut out.
    """
    match = re.fullmatch("u_([1-9][0-9]{0,17})", identity.removeprefix(CLIENT))
    person = User.objects.filter(pk=int(match[1])).first() if match else None
    if person and not person.is_active:
        raise AccountDisabled
    return person
