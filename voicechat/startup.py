"""The lines that a starting server prints: what is real, what is sandboxed, and three requests to try."""

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, Error, connection, connections
from django.utils.module_loading import import_string

from core.triggers import THERE, missing
from voicechat import beside
from voicechat.adoption.guard import why_not
from voicechat.env import TLS
from voicechat.redis_check import why_not_reached
from voicechat.vendor_modes import mode, vendor_modes

PROXY_WARNING = (
    "TRUSTED_PROXIES is not set: everybody who comes through the proxy in front counts as one address, and one of them "
    "can use up what all may."
)
TRIGGERS_WARNING = (
    "The database lacks triggers that raise versions, so that no answer may be kept: {}. Run `manage.py migrate`, "
    "which makes them again."
)
NO_MAIL = "EMAIL_HOST is not set: nobody is told by e-mail of invitations, and of money that is running low."
WORKER_BESIDE = "are done by a worker beside the server, which ends with it"
WORKER_APART = "wait for a worker: start one by `python manage.py work`"
WHAT = {"Twilio": "calls", "Stripe": "payments", "Cloudinary": "images", "E-mail": "e-mails"}


def load_settings() -> Any:
    """The settings, before the application. What is wrong in the environment ends the process, without a trace."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voicechat.settings")
    try:
        settings.DB_ENV  # noqa: B018  # reads them all
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    return settings


def announce(server: Any) -> None:
    """gunicorn calls this once, when it listens."""
    django.setup()
    refuse_unfit_database()
    with suppress(OSError):  # where standard output goes may be full: no reason not to serve
        print("\n".join(start_lines()), flush=True)
    connections.close_all()  # the workers are made after this, and must not share one


def refuse_unfit_database() -> None:
    """Ends the server. Where the database does not answer yet, `migrate` has asked before."""
    try:
        said = why_not(connection)
    except Error:
        return
    if said:
        sys.exit(said)


def start_lines() -> list[str]:
    base = settings.PUBLIC_URL
    lines = ["", f"Voice Chatroom is listening on port {settings.PORT} ({settings.DB_ENV})."]
    lines += [f"  {WHAT[vendor]:<9} {mode:<8} {vendor}" for vendor, mode in vendor_modes().items()]
    lines += [f"  {'SMS':<9} {mode(settings.SMS)}"]
    lines += [f"  {'jobs':<9} {WORKER_BESIDE if beside.is_there() else WORKER_APART}"]
    for warning in start_warnings():
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


def start_warnings() -> Iterator[str]:
    modes = vendor_modes()
    if modes["Stripe"] == "real" and not settings.STRIPE_WEBHOOK_SECRET:
        yield "STRIPE_WEBHOOK_SECRET is not set: Stripe's webhooks are answered 503."
    if modes["Twilio"] == "real" and not settings.NOTIFICATIONS:
        yield f"Calls work, and nobody is told when one begins: {settings.HOW_TO_NOTIFY}"
    if settings.PRODUCTION and modes["E-mail"] == "off":
        yield NO_MAIL
    if modes["Twilio"] == "real" and not settings.VERIFICATION:
        yield "VERIFY_SERVICE_SID is not set: nobody can verify a telephone number, and no telephone is known by one."
    if modes["Stripe"] == "real" and (warning := stripe_warning()):
        yield warning
    yield from settings.LOOSE
    if settings.PRODUCTION:
        yield from filter(None, (proxy_warning(), role_warning()))
    if warning := redis_warning():
        yield warning
    if warning := trigger_warning():
        yield warning
    if sys.flags.optimize > 1:
        yield "Python runs with -OO: /api/schema has no descriptions, which are taken from docstrings."


def redis_warning() -> str:
    """Where REDIS_URL leads to nobody. A cache in memory always answers."""
    fault = why_not_reached()
    return f"REDIS_URL fails ({fault}): until it answers requests are not counted. {TLS}" if fault else ""


def stripe_warning() -> str:
    """What is wrong with Stripe's webhook, by what it has sent so far. Models are only there once Django is set up."""
    try:
        warning: str = import_string("billing.webhook.warning_at_start")()
    except DatabaseError:  # the server says so itself, to whoever asks
        return ""
    return warning


def proxy_warning() -> str:
    """Production is reached by https, and this server speaks http: there is always a proxy."""
    return "" if settings.TRUSTED_PROXIES else PROXY_WARNING


def role_warning() -> str:
    """Models are only there once Django is set up."""
    try:
        warning: str = import_string("billing.roles.warning_at_start")()
    except DatabaseError:
        return ""
    return warning


def trigger_warning() -> str:
    """Models are only there once Django is set up. That a database is not migrated is said elsewhere."""
    try:
        if "groups" not in connection.introspection.table_names():
            return ""
        with connection.cursor() as cursor:
            cursor.execute(THERE[connection.vendor])
            lacking = missing(import_string("groups.triggers.EVERY"), connection.vendor, cursor.fetchall())
    except DatabaseError:
        return ""
    return TRIGGERS_WARNING.format(", ".join(lacking)) if lacking else ""


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
