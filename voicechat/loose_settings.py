"""What production takes, but whoever runs it should know of."""

from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

HOSTS = {
    "DYNO": "Heroku",
    "K_SERVICE": "Cloud Run",
    "GAE_ENV": "App Engine",
    "RENDER": "Render",
    "FLY_APP_NAME": "Fly.io",
    "RAILWAY_ENVIRONMENT": "Railway",
    "RAILWAY_ENVIRONMENT_NAME": "Railway",
    "RAILWAY_PROJECT_ID": "Railway",
    "WEBSITE_SITE_NAME": "Azure App Service",
    "CONTAINER_APP_NAME": "Azure Container Apps",
    "ECS_CONTAINER_METADATA_URI_V4": "Amazon ECS",
    "AWS_LAMBDA_FUNCTION_NAME": "AWS Lambda",
    "PLATFORM_APPLICATION_NAME": "Platform.sh",
    "VCAP_APPLICATION": "Cloud Foundry",
}
"""What hosting platforms put into the environment of what they run, and nobody's own machine has."""
PASSWORDS_OF_DEFAULT = ("", "postgres", "password", "admin", "root")


def is_loopback(url: str) -> bool:
    """Whether it never leaves the machine, and so needs no https."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_origin(text: str) -> bool:
    """As a browser writes one: https://www.rfc-editor.org/rfc/rfc6454#section-6.1"""
    try:
        parts = urlsplit(text)
        host = parts.hostname if parts.port is None or parts.port else None
    except ValueError:
        return False
    return bool(host) and "*" not in text and "@" not in text and text in (f"{way}://{parts.netloc}" for way in WAYS)


WAYS = ("http", "https")


def sign_of_a_host(environ: Mapping[str, str], *, database: Mapping[str, Any], public_url: str) -> str | None:
    """Why a server whose DB_ENV nobody has set is probably no development; None where nothing says so."""
    if found := [f"{name} ({host})" for name, host in HOSTS.items() if environ.get(name)]:
        return f"{found[0]} is set"
    if "postgresql" in database["ENGINE"] and public_url.startswith("https:") and not is_loopback(public_url):
        return "DATABASE_URL is PostgreSQL and PUBLIC_URL is https"
    return None


def warnings(settings: Mapping[str, Any]) -> list[str]:
    return [*of_database(settings["DATABASES"]["default"]), *of_throttles(settings), *of_addresses(settings)]


def of_database(database: Mapping[str, Any]) -> Iterator[str]:
    if database["ENGINE"] == "django.db.backends.sqlite3":
        yield "DATABASE_URL is SQLite: one write at a time, on one machine's disk. Production is made for PostgreSQL."
        return
    host = str(database.get("HOST", ""))
    if not host or host.startswith("/") or is_loopback(f"tcp://{host}"):
        return
    if str(database.get("PASSWORD", "")) in (*PASSWORDS_OF_DEFAULT, database.get("USER")):
        yield "DATABASE_URL has no password, or one that everybody tries first."
    if database.get("OPTIONS", {}).get("sslmode", "prefer") in ("disable", "allow", "prefer"):
        yield "DATABASE_URL does not insist on TLS: rows may cross the network as plain text. See sslmode."


def of_throttles(settings: Mapping[str, Any]) -> Iterator[str]:
    if off := sorted(name for name in settings if name.startswith("THROTTLE_") and settings[name] is None):
        yield f"{', '.join(off)}: off. Nothing bounds how often one person may do that."


def of_addresses(settings: Mapping[str, Any]) -> Iterator[str]:
    if is_loopback(settings["PUBLIC_URL"]):
        yield "PUBLIC_URL is this machine's own address: neither clients nor Twilio and Stripe can reach it."
    if near := [origin for origin in settings["CORS_ALLOWED_ORIGINS"] if is_loopback(origin)]:
        yield f"CORS_ALLOWED_ORIGINS has {near[0]}: whatever page runs there on anybody's machine is let in."
    if str(settings["PAYMENTS"].get("OPTIONS", {}).get("sk_test", "")).startswith(("sk_test_", "rk_test_")):
        yield "SK_TEST is a key of Stripe's test mode: no real money is taken."
