"""Vendors' keys as the environment holds them. Each reader gives the text to be kept, and raises ValueError for what
cannot be used."""

import json
import re
from email.utils import formataddr, parseaddr
from pathlib import Path

from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from core.p256 import key_of_number, key_of_pem

NEEDED_OF_AN_ACCOUNT = ("client_email", "private_key", "project_id", "token_uri")


def pem(text: str) -> str:
    r"""Apple's key: what stands in the .p8 file, where the environment holds one line with \n between its lines."""
    lines = text.replace("\\n", "\n")
    key_of_pem(lines)
    return lines


def number(text: str) -> str:
    key_of_number(text)
    return text


def subject(text: str) -> str:
    """Whom a push service writes to: https://www.rfc-editor.org/rfc/rfc8292#section-2.1"""
    if not text.startswith(("mailto:", "https://")) or " " in text or text in ("mailto:", "https://"):
        raise ValueError("A subject is a mailto: or https: address.")
    return text


def sender(text: str) -> str:
    """Whom e-mails come from: an address, which may have a name before it."""
    name, address = parseaddr(text)
    try:
        validate_email(address)
    except ValidationError as error:
        raise ValueError("This is no address.") from error
    if not text.isprintable() or not address.isascii():
        raise ValueError("This is no address that every mail server takes.")
    return formataddr((name, address))


def dsn(text: str) -> str:
    """Where Sentry takes errors: https://develop.sentry.dev/sdk/foundations/transport/authentication/"""
    if not re.fullmatch(r"https?://[A-Za-z0-9]+@[^\s/@]+(/[^\s/?#]+)*/[0-9]+", text, re.ASCII):
        raise ValueError("This is no DSN.")
    return text


def service_account(text: str) -> str:
    """Google's file of a service account, by its path or its JSON."""
    try:
        found = json.loads(text if text.startswith("{") else Path(text).read_text(encoding="utf-8"))
        values = [found[name] for name in NEEDED_OF_AN_ACCOUNT]
        if not all(isinstance(value, str) and value for value in values):
            raise ValueError("Something is missing in the file.")
        load_pem_private_key(found["private_key"].encode(), password=None)
    except (OSError, KeyError, RecursionError, TypeError) as error:
        raise ValueError("This is no service account's file.") from error
    return json.dumps(found)
