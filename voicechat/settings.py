"""Django's settings, all from the environment: `.env.example` explains each variable."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import django_stubs_ext
from dotenv import load_dotenv

from voicechat import vendor_keys
from voicechat.database_url import SQLITE_OPTIONS
from voicechat.env import Env
from voicechat.logs import OUR_LOGGERS
from voicechat.loose_settings import is_loopback, is_origin, sign_of_a_host, warnings
from voicechat.secret import HOW_TO_MAKE_A_SECRET, development_secret, is_unguessable

django_stubs_ext.monkeypatch()  # Django's generic classes take their parameters at run time too

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
HOST = env.ip("HOST")
WEB_CONCURRENCY = env.whole("WEB_CONCURRENCY", 2, lowest=1, highest=64)
GUNICORN_FLAGS = env.command_line("GUNICORN_CMD_ARGS")
METRICS_PORT = env.whole("METRICS_PORT", 0, highest=65535)  # 0: nothing is counted
METRICS_GAUGES = "voicechat.gauges.read"
THREADS = env.whole("THREADS", 4, lowest=1, highest=64)  # of each process, and its connections to the database
PUBLIC_URL = env.url("PUBLIC_URL", f"http://localhost:{PORT}")
if urlsplit(PUBLIC_URL).path:
    env.fault(f"PUBLIC_URL is {PUBLIC_URL!r}, with a path: the server needs a host or a port of its own.")
INVITATION_URL = env.prefix("INVITATION_URL", f"{PUBLIC_URL}/join/")  # the client's page; the token comes behind it
CLIENT_URL = env.url("CLIENT_URL", PUBLIC_URL)  # the client's page, which a letter's button opens
SECRET_KEY = env.text("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS")  # those of before, while SECRET_KEY takes their place
OIDC_ISSUER = env.url("OIDC_ISSUER")
OIDC_AUDIENCE = env.words("OIDC_AUDIENCE")
SIGN_IN = env.choice("SIGN_IN", ("off", "on")) == "on"
OPEN_MODE = not (OIDC_ISSUER or SIGN_IN)  # nobody is asked to sign in: everybody may do everything
ALLOW_OPEN_ACCESS = env.flag("ALLOW_OPEN_ACCESS")
FAILPOINT = env.choice(
    "FAILPOINT",
    (
        "off",
        "after_reservation",
        "before_money_form",
        "before_topup_row",
        "after_topup_row",
        "after_charge",
        "after_entry",
        "after_post",
        "after_event",
        "before_refund",
        "after_refund_reserved",
        "job_taken",
        "job_begun",
        "job_done",
        "job_settled",
        "adoption_begun",
        "adopted_part",
        "adoption_copied",
    ),
)
if bool(OIDC_ISSUER) != bool(OIDC_AUDIENCE):
    env.fault("Sign-in is half configured: set both OIDC_ISSUER and OIDC_AUDIENCE, or neither.")

if PRODUCTION:
    for name in ("SECRET_KEY", "DATABASE_URL", "PUBLIC_URL"):
        if not env.text(name):
            env.fault(f"{name} is missing: production needs it.")
    if env.text("PUBLIC_URL") and not env.text("PUBLIC_URL").startswith("https://"):
        env.fault(f"PUBLIC_URL is {env.text('PUBLIC_URL')!r}: production needs https://.")
    for name, secrets in (("SECRET_KEY", [SECRET_KEY]), ("SECRET_KEY_FALLBACKS", SECRET_KEY_FALLBACKS)):
        if any(secret and not is_unguessable(secret) for secret in secrets):
            env.fault(f"{name} can be guessed: {HOW_TO_MAKE_A_SECRET}")
    if not (env.text("OIDC_ISSUER") or ALLOW_OPEN_ACCESS):
        env.fault("OIDC_ISSUER is missing: without sign-in everybody may do everything (ALLOW_OPEN_ACCESS=true).")
    for name in (
        "OIDC_ISSUER",
        "CLIENT_URL",
        *(f"{vendor}_API_BASE" for vendor in ("TWILIO", "STRIPE", "CLOUDINARY", "APNS", "FCM")),
    ):
        if urlsplit(env.url(name)).scheme == "http" and not is_loopback(env.url(name)):
            env.fault(f"{name} is {env.url(name)!r}: production needs https://.")
    if INVITATION_URL.startswith("http:") and not is_loopback(INVITATION_URL):
        env.fault(f"INVITATION_URL is {INVITATION_URL!r}: production needs https://.")
    if env.url("WEBPUSH_API_BASE"):
        env.fault("WEBPUSH_API_BASE sends every browser's notification to one host: it is for tests.")
    if SIGN_IN:
        env.fault("SIGN_IN=on accepts tokens of this machine's own: it is for development. Set OIDC_ISSUER.")
    if FAILPOINT != "off":
        env.fault("FAILPOINT kills the server's own processes: it is for tests.")
elif not SECRET_KEY:
    try:
        SECRET_KEY = development_secret(BASE_DIR / ".secret_key")
    except OSError:
        env.fault("SECRET_KEY is missing, and none can be kept in .secret_key, which cannot be written: set it.")

_public_host = urlsplit(PUBLIC_URL).hostname or "localhost"
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS") or (
    [_public_host, "localhost", "127.0.0.1", "[::1]"] if PRODUCTION else ["*"]
)
if PRODUCTION and any("*" in host for host in ALLOWED_HOSTS):
    env.fault("ALLOWED_HOSTS has a *: name the hosts, such as api.example.com; .example.com is all that end so.")

# --- Database -------------------------------------------------------------------------------------------------------

DATABASES = {"default": env.database("DATABASE_URL", f"sqlite:///{quote(str(BASE_DIR / 'db.sqlite3'))}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"].setdefault("OPTIONS", {}).update(SQLITE_OPTIONS)
_host = sign_of_a_host(os.environ, database=DATABASES["default"], public_url=PUBLIC_URL)
if _host and not env.text("DB_ENV"):
    env.fault(f"DB_ENV is missing, and {_host}: set DB_ENV=production, or DB_ENV=development for an open server.")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "users.User"

# --- The house ------------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "voicechat",
    "voice",
    "billing",
    "groups",
    "groups.notifications",
    "users",
    "uploads",
    "core.jobs",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "corsheaders",
    "users.operators.apps.OperatorAdminConfig",  # django.contrib.admin, on a site of our own
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
ROOT_URLCONF = "voicechat.urls"
WSGI_APPLICATION = "voicechat.wsgi.application"
APPEND_SLASH = False
MIDDLEWARE = [  # the first five are on every answer, whoever below gives it
    "voicechat.request_log.RequestIdMiddleware",
    "voicechat.content_security.ContentSecurityMiddleware",
    "voicechat.middleware.CacheControlMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "voicechat.middleware.AccessModeMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "voicechat.middleware.UntrustedProxyMiddleware",
    "voicechat.middleware.DeadlineMiddleware",
    "voicechat.middleware.HostMiddleware",
    "voicechat.middleware.BodyMiddleware",
    "voicechat.middleware.FinalSlashMiddleware",
    "voicechat.middleware.ETagMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "voicechat.middleware.AdminSessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "voicechat.middleware.AdminAuthenticationMiddleware",
    "voicechat.middleware.AdminMessageMiddleware",
    "voicechat.middleware.AdminTimeZoneMiddleware",
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
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"  # whom they name stays out of the database
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("MinimumLengthValidator", "CommonPasswordValidator", "NumericPasswordValidator")
]
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
FORMAT_MODULE_PATH = "voicechat.formats"  # times name their zone
USE_I18N = False

# --- Static files and uploads ---------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
WHITENOISE_USE_FINDERS = True  # serves the admin's files even where nobody ran collectstatic
WHITENOISE_AUTOREFRESH = DB_ENV == "testing"  # or each test's client would look at every static file first
MEDIA_URL = f"{PUBLIC_URL}/media/"
MEDIA_ROOT = BASE_DIR / "media"
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"file_permissions_mode": 0o600, "directory_permissions_mode": 0o700},
    },
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

# --- Limits, in bytes -----------------------------------------------------------------------------------------------

MAX_BODY = 1024 * 1024
MAX_IMAGE = 5 * 1024 * 1024
MAX_UPLOAD_BODY = MAX_IMAGE + 64 * 1024  # the image and the multipart lines around it
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY
FILE_UPLOAD_MAX_MEMORY_SIZE = MAX_UPLOAD_BODY  # no file on a disk, which may be read-only or full
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000  # a large group's page in the admin

# --- Throttles: (how many, in how many seconds), or None; outside production none that no variable sets -------------

CACHES = {"default": env.cache("REDIS_URL")}
TRUSTED_PROXIES = env.networks("TRUSTED_PROXIES")
THROTTLE_SIGN_UP = env.rate("THROTTLE_SIGN_UP", "30/hour" if PRODUCTION else "off")  # the React page's every log-in
THROTTLE_ACCESS_TOKEN = env.rate("THROTTLE_ACCESS_TOKEN", "120/hour" if PRODUCTION else "off")
THROTTLE_PAYMENTS = env.rate("THROTTLE_PAYMENTS", "30/hour" if PRODUCTION else "off")
THROTTLE_NOTIFICATIONS = env.rate("THROTTLE_NOTIFICATIONS", "1/minute" if PRODUCTION else "off")  # of one group
THROTTLE_DEVICES = env.rate("THROTTLE_DEVICES", "60/hour" if PRODUCTION else "off")
THROTTLE_CARD_INQUIRIES = env.rate("THROTTLE_CARD_INQUIRIES", "300/hour" if PRODUCTION else "off")
THROTTLE_ACTIVITIES = env.rate("THROTTLE_ACTIVITIES", "600/hour" if PRODUCTION else "off")
THROTTLE_INVITATIONS = env.rate("THROTTLE_INVITATIONS", "300/day" if PRODUCTION else "off")
THROTTLE_INVITATION_TOKENS = env.rate("THROTTLE_INVITATION_TOKENS", "300/hour" if PRODUCTION else "off")
THROTTLE_INVITATION_MESSAGES = env.rate("THROTTLE_INVITATION_MESSAGES", "50/day")  # everywhere, as the next three
THROTTLE_INVITED = env.rate("THROTTLE_INVITED", "3/day")  # of one address or number, whoever invites it
THROTTLE_REFUSED_CARDS = env.rate("THROTTLE_REFUSED_CARDS", "5/hour")
THROTTLE_PHONE_VERIFICATION = env.rate("THROTTLE_PHONE_VERIFICATION", "3/hour")
THROTTLE_ADMIN_LOGIN = env.rate("THROTTLE_ADMIN_LOGIN", "20/hour")
THROTTLE_STREAM_TICKETS = env.rate("THROTTLE_STREAM_TICKETS", "600/hour" if PRODUCTION else "off")
THROTTLE_UNSUBSCRIBE = env.rate("THROTTLE_UNSUBSCRIBE", "600/hour" if PRODUCTION else "off")  # of one address
THROTTLE_EXPORTS = env.rate("THROTTLE_EXPORTS", "10/hour" if PRODUCTION else "off")
THROTTLE_UPLOADS = env.rate("THROTTLE_UPLOADS", "30/hour" if PRODUCTION else "off")

# --- REST framework -------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["users.sign_in.authentication.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["users.api.permissions.IsSignedUp"],
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
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_SUFFIX": "",
    "ENUM_NAME_OVERRIDES": {
        "BindingType": "groups.models.Device.BindingType",
        "StatementEntryKind": "billing.models.LedgerEntry.Kind",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "voicechat.api_docs.about.describe_the_whole",
        "voicechat.schema.describe_conditions",
        "voicechat.schema.describe_requests",
        "voicechat.api_docs.examples.describe_examples",
        "voicechat.api_docs.errors.describe_errors",
        "voicechat.schema.describe_for_generators",
    ],
}

# --- Browsers -------------------------------------------------------------------------------------------------------

CORS_ALLOWED_ORIGINS = env.words("CORS_ALLOWED_ORIGINS")
CORS_ALLOW_ALL_ORIGINS = not PRODUCTION and not CORS_ALLOWED_ORIGINS
CORS_ALLOW_METHODS = ["GET", "POST", "PUT", "DELETE", "OPTIONS"]
CORS_ALLOW_HEADERS = [
    "authorization",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "last-event-id",
]
CORS_EXPOSE_HEADERS = ["ETag", "Link", "Retry-After", "X-Access-Mode", "X-Request-Id"]
CORS_PREFLIGHT_MAX_AGE = 86400
CORS_URLS_REGEX = r"^/(?!admin/)"
if "*" in CORS_ALLOWED_ORIGINS:
    env.fault("CORS_ALLOWED_ORIGINS is *: name the origins, such as https://app.example.com.")
elif faulty := [origin for origin in CORS_ALLOWED_ORIGINS if not is_origin(origin)]:
    env.fault(f"CORS_ALLOWED_ORIGINS has {faulty[0]!r}: an origin is https://app.example.com, with nothing behind.")
if PRODUCTION:
    for origin in CORS_ALLOWED_ORIGINS:
        if origin.startswith("http:") and not is_loopback(origin):
            env.fault(f"CORS_ALLOWED_ORIGINS has {origin!r}: production needs https://.")

# --- Operators' sessions, in seconds ---------------------------------------------------------------------------------

SESSION_COOKIE_AGE = 3600  # since it was last used
ADMIN_SESSION_LASTS = 12 * 3600  # in all
ADMIN_PASSWORD_GOOD_FOR = 600  # then money and deletions ask for it once more
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "users.operators.kept.csrf_failure"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
LOGIN_REDIRECT_URL = "/admin/"

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
    SESSION_COOKIE_NAME = "__Host-sessionid"  # browsers take such a cookie from this very host alone, over https
    CSRF_COOKIE_NAME = "__Host-csrftoken"
    CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

# --- Vendors: real when their variables are set, else a sandbox in development and nothing in production ------------

TWILIO_NAMES = ("ACCOUNT_SID", "API_KEY", "API_KEY_SECRET", "APP_SID", "AUTH_TOKEN", "CALLER_ID")
TWILIO_OPTIONAL = ("AUTH_TOKEN_SECONDARY", "PUSH_CREDENTIAL_SID", "SERVICE_SID", "VERIFY_SERVICE_SID")
NOTIFY_NAMES = ("ACCOUNT_SID", "AUTH_TOKEN", "SERVICE_SID")
VERIFY_NAMES = ("ACCOUNT_SID", "AUTH_TOKEN", "VERIFY_SERVICE_SID")
SMS_NAMES = ("ACCOUNT_SID", "AUTH_TOKEN", "TWILIO_MESSAGING_SERVICE_SID")
CLOUDINARY_NAMES = ("CLOUDINARY_API_KEY", "CLOUDINARY_API_NAME", "CLOUDINARY_API_SECRET")
_twilio = env.vendor("Twilio", TWILIO_NAMES, TWILIO_OPTIONAL)
_stripe = env.vendor("Stripe", ("SK_TEST",))
_cloudinary = env.vendor("Cloudinary", CLOUDINARY_NAMES)


def _backend(real: str, sandbox: str, configured: dict[str, str], **options: str) -> dict[str, Any]:
    """Which implementation of a vendor's interface serves, and its options: {} means none does."""
    if configured:
        return {"BACKEND": real, "OPTIONS": {**{name.lower(): value for name, value in configured.items()}, **options}}
    return {} if PRODUCTION else {"BACKEND": sandbox, "OPTIONS": {}}


STRIPE_WEBHOOK_SECRET = env.words("STRIPE_WEBHOOK_SECRET")  # more than one while one takes another's place
if STRIPE_WEBHOOK_SECRET and not _stripe:
    env.fault("Stripe is half configured: also set SK_TEST, or unset STRIPE_WEBHOOK_SECRET.")
TWILIO_PLACE = {
    "api_base": env.url("TWILIO_API_BASE"),
    "region": env.label("TWILIO_REGION"),
    "edge": env.label("TWILIO_EDGE"),
}
CONFERENCE_PREFIX = env.label("CONFERENCE_PREFIX")  # keeps two servers on one Twilio account apart
DIAL_IN_NUMBERS = env.telephones("DIAL_IN_NUMBERS")  # what telephones dial, whichever group they want
TRUST_CALLER_ID = env.choice("TRUST_CALLER_ID", ("attested", "always"))
RING_COUNTRIES = env.countries("RING_COUNTRIES", "US,CA")  # whose telephones people may have rung
TELEPHONY: dict[str, Any] = _backend(
    "voice.telephony.twilio_telephony.TwilioTelephony",
    "voice.telephony.sandbox_telephony.SandboxTelephony",
    {name: value for name, value in _twilio.items() if name not in ("SERVICE_SID", "VERIFY_SERVICE_SID")},
    **TWILIO_PLACE,
)
VERIFICATION: dict[str, Any] = _backend(
    "users.verification.twilio_verify.TwilioVerify",
    "users.verification.sandbox_verify.SandboxVerify",
    {name: _twilio[name] for name in VERIFY_NAMES} if "VERIFY_SERVICE_SID" in _twilio else {},
    **TWILIO_PLACE,
)
_notify = _backend(
    "groups.notifications.twilio_notify.TwilioNotify",
    "groups.notifications.sandbox_notify.SandboxNotify",
    {name: value for name, value in _twilio.items() if name in NOTIFY_NAMES},
    **TWILIO_PLACE,
)
_has_notify = bool(_notify) and (not _twilio or "SERVICE_SID" in _twilio)  # new accounts cannot get that one
_apns = env.vendor("APNs", ("APNS_KEY", "APNS_KEY_ID", "APNS_TEAM_ID", "APNS_TOPIC"))
_fcm = env.vendor("FCM", ("FCM_CREDENTIALS",))
_web_push = env.vendor("Web Push", ("VAPID_PRIVATE_KEY", "VAPID_SUBJECT"))
_keys = {
    "APNS_KEY": env.key(
        "APNS_KEY", vendor_keys.pem, "it is what stands in Apple's .p8 file, with its first and last line."
    ),
    "FCM_CREDENTIALS": env.key(
        "FCM_CREDENTIALS",
        vendor_keys.service_account,
        "it is the path, or the JSON, of a Google service account's file.",
    ),
    "VAPID_PRIVATE_KEY": env.key("VAPID_PRIVATE_KEY", vendor_keys.number, "`manage.py make_vapid_key` makes one."),
    "VAPID_SUBJECT": env.key("VAPID_SUBJECT", vendor_keys.subject, "use mailto:you@example.com, or an https address."),
}


def _direct(path: str, configured: dict[str, str], base: str) -> list[dict[str, Any]]:
    """A channel of its own, where its variables are set."""
    if not configured:
        return []
    options = {name.lower(): _keys.get(name, value) for name, value in configured.items()}
    return [{"BACKEND": f"groups.notifications.{path}", "OPTIONS": {**options, "api_base": base}}]


HOW_TO_NOTIFY = (
    "the operator must set what APNs (APNS_KEY), FCM (FCM_CREDENTIALS), Web Push (VAPID_PRIVATE_KEY) or Twilio Notify "
    "(SERVICE_SID) needs."
)
# Each way to reach a device; of two that reach the same kind the first has it. The sandbox has what is left.
NOTIFICATIONS: list[dict[str, Any]] = [
    *_direct("apns.APNs", _apns, env.url("APNS_API_BASE")),
    *_direct("fcm.FCM", _fcm, env.url("FCM_API_BASE")),
    *_direct("web_push.WebPush", _web_push, env.url("WEBPUSH_API_BASE")),
    *([_notify] if _has_notify else []),
]
_mail = env.vendor("E-mail", ("EMAIL_HOST", "DEFAULT_FROM_EMAIL"), ("EMAIL_HOST_USER", "EMAIL_HOST_PASSWORD"))
DEFAULT_FROM_EMAIL = env.key(
    "DEFAULT_FROM_EMAIL",
    vendor_keys.sender,
    "use an address such as hello@example.com, or Family Calls <hello@example.com>.",
)
_email_port = env.whole("EMAIL_PORT", 587, lowest=1, highest=65535)
_email_tls = env.choice("EMAIL_USE_TLS", ("true", "false")) == "true"
if bool(env.text("EMAIL_HOST_USER")) != bool(env.text("EMAIL_HOST_PASSWORD")):
    env.fault("E-mail is half configured: set both EMAIL_HOST_USER and EMAIL_HOST_PASSWORD, or neither.")
if PRODUCTION and _mail and not _email_tls and not is_loopback(f"smtp://{_mail['EMAIL_HOST']}"):
    env.fault("EMAIL_USE_TLS is false: people's addresses and the password would cross the network as plain text.")
MAIL: dict[str, Any] = _backend(
    "groups.notifications.mail.smtp.SMTPMailer",
    "groups.notifications.mail.sandbox_mail.SandboxMail",
    {**_mail, "DEFAULT_FROM_EMAIL": DEFAULT_FROM_EMAIL} if _mail else {},
    email_port=str(_email_port),
    email_use_tls="true" if _email_tls else "",
)
_sms = {name: env.text(name) for name in SMS_NAMES}
SMS: dict[str, Any] = {}
if env.choice("SMS", ("off", "on")) == "on":
    SMS = _backend(
        "groups.notifications.sms.twilio_sms.TwilioSMS",
        "groups.notifications.sms.sandbox_sms.SandboxSMS",
        _sms if all(_sms.values()) else {},
        **TWILIO_PLACE,
    )
    if (PRODUCTION or _twilio) and not all(_sms.values()):
        env.fault(f"SMS is on, and needs {', '.join(name for name, value in _sms.items() if not value)}.")
PAYMENTS: dict[str, Any] = _backend(
    "billing.gateway.stripe_payments.StripePayments",
    "billing.gateway.sandbox_payments.SandboxPayments",
    _stripe,
    api_base=env.url("STRIPE_API_BASE"),
    webhook_secret=",".join(STRIPE_WEBHOOK_SECRET),
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
END_WHEN_ALONE = env.whole("END_WHEN_ALONE", 5, lowest=0, highest=240)  # minutes; 0 for never
CAPTION_RATE = env.micros("CAPTION_RATE", "0.027")  # what one phone's captions cost, one started minute
CAPTION_DAYS = env.whole("CAPTION_DAYS", 30, lowest=0, highest=3650)  # so long they are kept; 0 for not at all
HOLD_MINUTES = env.whole("HOLD_MINUTES", 5, lowest=1, highest=240)  # kept for each phone on a call

# --- Jobs, and what comes by the clock (core/jobs) --------------------------------------------------------------------

TASKS = {"default": {"BACKEND": "core.jobs.backend.JobsBackend", "QUEUES": []}}
SCHEDULE = {
    "reconcile_calls": {"minutes": 1},
    "sync_call_prices": {"minutes": 1},
    "reconcile_payments": {"minutes": 10},
    "reconcile_deletions": {"minutes": 10},
    "tell_of_cards": {"minutes": 24 * 60, "after": 15 * 60 + 17},  # by day where most are: UTC
    "check_ledger": {"minutes": 24 * 60, "after": 3 * 60 + 17, "is_long": True},  # when fewest are awake: UTC
    "prune": {"minutes": 24 * 60, "after": 4 * 60 + 17, "is_long": True},
}

# --- Errors, to Sentry too where somebody asks for it (voicechat/sentry.py) -------------------------------------------

SENTRY_DSN = env.key("SENTRY_DSN", vendor_keys.dsn, "Sentry shows it under Client Keys: https://key@host/number.")
if PRODUCTION and SENTRY_DSN.startswith("http:") and not is_loopback(SENTRY_DSN):
    env.fault("SENTRY_DSN is by http: production needs https://.")
_to_sentry = ["sentry"] if SENTRY_DSN else []

# --- Logs: one JSON object a line ------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "voicechat.logs.JSONFormatter"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "json"},
        **{name: {"class": "voicechat.sentry.ToSentry"} for name in _to_sentry},
    },
    "root": {"handlers": ["console", *_to_sentry], "level": "WARNING"},  # at INFO, vendors' libraries tell every call
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
LOOSE = warnings(globals()) if PRODUCTION else []
"""What somebody may mean, and others have overlooked: told when the server starts."""
