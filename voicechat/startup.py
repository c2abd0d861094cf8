"""The lines that a starting server prints: what is real, what is sandboxed, and three requests to try."""

import os
from typing import Any

import django
from django.conf import settings
from django.db import DatabaseError, connections
from django.utils.module_loading import import_string

from voicechat.vendor_modes import vendor_modes

WHAT = {"Twilio": "calls", "Stripe": "payments", "Cloudinary": "images"}


def load_settings() -> Any:
    """The settings, for gunicorn's configuration, which comes before the application."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voicechat.settings")
    return settings


def announce(server: Any) -> None:
    """gunicorn calls this once, when it listens."""
    django.setup()
    print("\n".join(start_lines()), flush=True)
    connections.close_all()  # the workers are made after this, and must not share one


def start_lines() -> list[str]:
    base = settings.PUBLIC_URL
    lines = ["", f"Voice Chatroom is listening on port {settings.PORT} ({settings.DB_ENV})."]
    lines += [f"  {WHAT[vendor]:<9} {mode:<8} {vendor}" for vendor, mode in vendor_modes().items()]
    if vendor_modes()["Stripe"] == "real" and not settings.STRIPE_WEBHOOK_SECRET:
        lines += ["", "WARNING: STRIPE_WEBHOOK_SECRET is not set: Stripe's webhooks are answered 503."]
    if vendor_modes()["Twilio"] == "real" and not settings.NOTIFICATIONS:
        lines += ["", "WARNING: SERVICE_SID is not set: calls work, and nobody's phone is told when one begins."]
    if vendor_modes()["Stripe"] == "real" and (warning := stripe_warning()):
        lines += ["", f"WARNING: {warning}"]
    for sentence in import_string("voice.checks.credit_warnings")():
        lines += ["", f"WARNING: {sentence}"]
    if settings.OPEN_MODE:
        lines += ["", "WARNING: open mode. Nobody is asked to sign in: everybody may read and change everything."]
    else:
        lines += [f"  sign-in   {settings.OIDC_ISSUER or 'by `manage.py issue_token EMAIL`'}"]
    if not settings.PRODUCTION:
        lines += [
            "",
            "Try:",
            *(open_requests(base) if settings.OPEN_MODE else signed_requests(base)),
            f"Docs: {base}/api/docs   Admin: {base}/admin/ (first: make admin)   Stop: Ctrl-C",
        ]
    return [*lines, ""]


def stripe_warning() -> str:
    """What is wrong with Stripe's webhook, by what it has sent so far. Models are only there once Django is set up."""
    try:
        warning: str = import_string("billing.webhook.warning_at_start")()
    except DatabaseError:  # the server says so itself, to whoever asks
        return ""
    return warning


def open_requests(base: str) -> list[str]:
    return [
        f"  curl {base}/api/users",
        f"  curl {base}/api/users/1/detailed",
        f"  curl -H 'Content-Type: application/json' -d '{{\"to\": 1}}' {base}/api/voice/makeCall",
    ]


def signed_requests(base: str) -> list[str]:
    return [
        "  TOKEN=$(.venv/bin/python manage.py issue_token rose@example.com)",
        f'  curl -H "Authorization: Bearer $TOKEN" {base}/api/users/1/detailed',
        f'  curl -H "Authorization: Bearer $TOKEN" {base}/api/voice/accessToken',
    ]
