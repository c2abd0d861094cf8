"""Loaded by pytest before the settings: tests run without a vendor's variables, whatever the shell or .env holds."""

import os

NAMES = [
    "ACCOUNT_SID",
    "API_KEY",
    "API_KEY_SECRET",
    "APP_SID",
    "AUTH_TOKEN",
    "CALLER_ID",
    "AUTH_TOKEN_SECONDARY",
    "TWILIO_REGION",
    "TWILIO_EDGE",
    "CONFERENCE_PREFIX",
    "PUSH_CREDENTIAL_SID",
    "SERVICE_SID",
    "SK_TEST",
    "STRIPE_WEBHOOK_SECRET",
    "CLOUDINARY_API_KEY",
    "CLOUDINARY_API_NAME",
    "CLOUDINARY_API_SECRET",
    "TWILIO_API_BASE",
    "STRIPE_API_BASE",
    "CLOUDINARY_API_BASE",
    "SECRET_KEY_FALLBACKS",
    "PUBLIC_URL",
    "PORT",
    "HOST",
    "GUNICORN_CMD_ARGS",
    "WEB_CONCURRENCY",
    "THREADS",
    "ALLOWED_HOSTS",
    "CORS_ALLOWED_ORIGINS",
    "ALLOW_OPEN_ACCESS",
    "OIDC_ISSUER",
    "OIDC_AUDIENCE",
    "SIGN_IN",
    "FAILPOINT",
    "MIN_CALL_BALANCE",
    "HOLD_MINUTES",
    "CALL_RATE",
    "CONFERENCE_RATE",
    "REDIS_URL",
    "TRUSTED_PROXIES",
    "THROTTLE_SIGN_UP",
    "THROTTLE_ACCESS_TOKEN",
    "THROTTLE_PAYMENTS",
    "THROTTLE_UPLOADS",
    "THROTTLE_NOTIFICATIONS",
    "THROTTLE_DEVICES",
    "THROTTLE_CARD_INQUIRIES",
    "THROTTLE_ACTIVITIES",
    "THROTTLE_INVITATIONS",
    "THROTTLE_STREAM_TICKETS",
    "THROTTLE_REFUSED_CARDS",
    "THROTTLE_ADMIN_LOGIN",
]
REDIS_URL = os.environ.get("REDIS_URL") or "redis://127.0.0.1:6379/0"  # for the tests that need one

for name in NAMES:
    os.environ.pop(name, None)
os.environ["DB_ENV"] = "testing"
os.environ["SECRET_KEY"] = "only for tests, and long enough that no check complains about it 0123456789"
