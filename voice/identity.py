"""Twilio identities: `u_12` is person 12, and only that form names a person."""

import re

from users.models import User

IDENTITY = r"[A-Za-z0-9_]{1,121}"
CLIENT = "client:"


def identity_of(user_id: int) -> str:
    return f"u_{user_id}"


def phone_digits(caller: str) -> str | None:
    """The digits of an E.164 number ("+15551234567"); None where the caller is no phone."""
    match = re.fullmatch(r"\+([1-9][0-9]{6,14})", caller)
    return match[1] if match else None


def person_of(identity: str) -> User | None:
    """Who is meant by an identity, or by Twilio's From ("client:u_12"); None where it names nobody."""
    match = re.fullmatch("u_([1-9][0-9]{0,17})", identity.removeprefix(CLIENT))
    return User.objects.filter(pk=int(match[1])).first() if match else None
