"""Django's settings, all from the environment: `.env.example` explains each variable."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dotenv import load_dotenv

from voicechat.env import Env
from voicechat.logs import OUR_LOGGERS
from voicechat.secret import development_secret

BASE_DIR = Path(__file__).resolve().parent.parent

env = Env(os.environ)
if os.environ.get("DB_ENV") != "testing":
    try:
        load_dotenv(BASE_DIR / ".env")  # what the process was started with wins
    except UnicodeDecodeError:
        env.fault(".env is not UTF-8 text.")

DB_ENV = env.choice("DB_ENV", ("development", "testing", "production"))
PRODUCTION = DB_ENV == "production"
DEBUG = False  # an error is a short answer and a log line, in development too
PORT = env.whole("PORT", 3300, lowest=1, highest=65535)
WEB_CONCURRENCY = env.whole("WEB_CONCURRENCY", 2, lowest=1, highest=64)
PUBLIC_URL = env.url("PUBLIC_URL", f"http://localhost:{PORT}")
SECRET_KEY = env.text("SECRET_KEY")
OPEN_MODE = True  # no sign-in yet: everybody may do everything
ALLOW_OPEN_ACCESS = env.flag("ALLOW_OPEN_ACCESS")

if PRODUCTION:
    for name in ("SECRET_KEY", "DATABASE_URL", "PUBLIC_URL"):
        if not env.text(name):
            env.fault(f"{name} is missing: production needs it.")
    if env.text("PUBLIC_URL") and not env.text("PUBLIC_URL").startswith("https://"):
        env.fault(f"PUBLIC_URL is {env.text('PUBLIC_URL')!r}: production needs https://.")
    if not ALLOW_OPEN_ACCESS:
        env.fault("ALLOW_OPEN_ACCESS is not true: without sign-in everybody may read and change everything.")
elif not SECRET_KEY:
    SECRET_KEY = development_secret(BASE_DIR / ".secret_key")

_public_host = urlsplit(PUBLIC_URL).hostname or "localhost"
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS") or ([_public_host, "localhost", "127.0.0.1"] if PRODUCTION else ["*"])

# --- Database -------------------------------------------------------------------------------------------------------

DATABASES = {"default": env.database("DATABASE_URL", f"sqlite:///{BASE_DIR / 'db.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"].setdefault("OPTIONS", {}).update(
        transaction_mode="IMMEDIATE",
        timeout=5,
        init_command="PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
    )
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "users.User"

# --- The house ------------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "voicechat",
    "voice",
    "billing",
    "groups",
    "users",
    "uploads",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "corsheaders",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
ROOT_URLCONF = "voicechat.urls"
WSGI_APPLICATION = "voicechat.wsgi.application"
APPEND_SLASH = False
MIDDLEWARE = [  # the first four are on every answer, whoever below gives it
    "voicechat.request_log.RequestIdMiddleware",
    "voicechat.content_security.ContentSecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "voicechat.middleware.AccessModeMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "voicechat.middleware.DeadlineMiddleware",
    "voicechat.middleware.BodyMiddleware",
    "voicechat.middleware.FinalSlashMiddleware",
    "voicechat.middleware.ETagMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "voicechat.middleware.AdminSessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "voicechat.middleware.AdminAuthenticationMiddleware",
    "voicechat.middleware.AdminMessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("MinimumLengthValidator", "CommonPasswordValidator", "NumericPasswordValidator")
]
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

# --- Static files and uploads ---------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
WHITENOISE_USE_FINDERS = True  # serves the admin's files even where nobody ran collectstatic
WHITENOISE_AUTOREFRESH = DB_ENV == "testing"  # or each test's client would look at every static file first
MEDIA_URL = f"{PUBLIC_URL}/media/"
MEDIA_ROOT = BASE_DIR / "media"

# --- Limits, in bytes -----------------------------------------------------------------------------------------------

MAX_BODY = 1024 * 1024
MAX_IMAGE = 5 * 1024 * 1024
MAX_UPLOAD_BODY = MAX_IMAGE + 64 * 1024  # the image and the multipart lines around it
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000  # a large group's page in the admin

# --- REST framework -------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_RENDERER_CLASSES": ["voicechat.rendering.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [
        "voicechat.parsing.JSONParser",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "voicechat.rendering.OneFormat",
    "DEFAULT_METADATA_CLASS": "voicechat.rendering.AllowedMethods",
    "DEFAULT_PAGINATION_CLASS": "voicechat.pagination.KeysetPagination",
    "DEFAULT_SCHEMA_CLASS": "voicechat.schema.Operation",
    "EXCEPTION_HANDLER": "voicechat.errors.handle",
    "URL_FORMAT_OVERRIDE": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Voice Chatroom",
    "VERSION": "1.0.0",
    "DESCRIPTION": "People, groups and group calls, the money that pays for them, and avatars.",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PUBLIC": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": ["voicechat.schema.describe_errors"],
}

# --- Browsers -------------------------------------------------------------------------------------------------------

CORS_ALLOWED_ORIGINS = env.words("CORS_ALLOWED_ORIGINS")
CORS_ALLOW_ALL_ORIGINS = not PRODUCTION and not CORS_ALLOWED_ORIGINS
CORS_ALLOW_METHODS = ["GET", "POST", "PUT", "DELETE", "OPTIONS"]
CORS_ALLOW_HEADERS = ["authorization", "content-type", "idempotency-key"]
CORS_EXPOSE_HEADERS = ["ETag", "Link", "Retry-After", "X-Access-Mode", "X-Request-Id"]
CORS_PREFLIGHT_MAX_AGE = 86400
CORS_URLS_REGEX = r"^/(?!admin/)"
if "*" in CORS_ALLOWED_ORIGINS:
    env.fault("CORS_ALLOWED_ORIGINS is *: name the origins, such as https://app.example.com.")

if PRODUCTION:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    SECURE_SSL_HOST = urlsplit(PUBLIC_URL).netloc  # not the Host header's: whoever asks writes that
    SECURE_REDIRECT_EXEMPT = [r"^api(/|$)", r"^healthz/?$", r"^readyz/?$", r"^$"]
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

# --- Vendors: real when their variables are set, else a sandbox in development and nothing in production ------------

TWILIO_NAMES = (
    "ACCOUNT_SID",
    "API_KEY",
    "API_KEY_SECRET",
    "APP_SID",
    "AUTH_TOKEN",
    "CALLER_ID",
    "PUSH_CREDENTIAL_SID",
    "SERVICE_SID",
)
CLOUDINARY_NAMES = ("CLOUDINARY_API_KEY", "CLOUDINARY_API_NAME", "CLOUDINARY_API_SECRET")
_twilio = env.vendor("Twilio", TWILIO_NAMES)
_stripe = env.vendor("Stripe", ("SK_TEST",))
_cloudinary = env.vendor("Cloudinary", CLOUDINARY_NAMES)


def _backend(real: str, sandbox: str, configured: dict[str, str], **options: str) -> dict[str, Any]:
    """Which implementation of a vendor's interface serves, and its options: {} means none does."""
    if configured:
        return {"BACKEND": real, "OPTIONS": {**{name.lower(): value for name, value in configured.items()}, **options}}
    return {} if PRODUCTION else {"BACKEND": sandbox, "OPTIONS": {}}


STRIPE_WEBHOOK_SECRET = env.text("STRIPE_WEBHOOK_SECRET")
if STRIPE_WEBHOOK_SECRET and not _stripe:
    env.fault("Stripe is half configured: also set SK_TEST, or unset STRIPE_WEBHOOK_SECRET.")
TELEPHONY: dict[str, Any] = _backend(
    "voice.twilio_telephony.TwilioTelephony",
    "voice.sandbox_telephony.SandboxTelephony",
    _twilio,
    api_base=env.url("TWILIO_API_BASE"),
)
PAYMENTS: dict[str, Any] = _backend(
    "billing.stripe_payments.StripePayments",
    "billing.sandbox_payments.SandboxPayments",
    _stripe,
    api_base=env.url("STRIPE_API_BASE"),
    webhook_secret=STRIPE_WEBHOOK_SECRET,
)
STORAGE: dict[str, Any] = _backend(
    "uploads.cloudinary_storage.CloudinaryStorage",
    "uploads.sandbox_storage.SandboxStorage",
    _cloudinary,
    api_base=env.url("CLOUDINARY_API_BASE"),
)

# --- What a call costs, in micro-dollars ----------------------------------------------------------------------------

CALL_RATE = env.micros("CALL_RATE", "0.0085")  # one phone, one started minute
CONFERENCE_RATE = env.micros("CONFERENCE_RATE", "0.0018")  # the conference's share of it
MIN_CALL_BALANCE = env.micros("MIN_CALL_BALANCE", "0.50" if _stripe else "0")

# --- Logs: one JSON object a line ------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "voicechat.logs.JSONFormatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["console"], "level": "WARNING"},  # at INFO, vendors' libraries tell every call
    "loggers": {
        **{name: {"level": "INFO"} for name in OUR_LOGGERS},
        "django": {"level": "WARNING", "handlers": []},  # its own handler would mail errors with the whole request
        # These three quote what a client sent. `voicechat.errors` and `voicechat.requests` say the same without.
        "django.request": {"level": "CRITICAL"},
        "django.security": {"level": "CRITICAL"},
        "django.server": {"level": "CRITICAL", "handlers": []},
    },
}

env.done()
