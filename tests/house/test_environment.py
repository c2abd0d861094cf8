"""The configuration: typed, read once, every fault named at once."""

import json
import re
import secrets

import pytest
from django.core.exceptions import ImproperlyConfigured

import voicechat.settings
from tests.doubles import apns, fcm
from tests.doubles.push_service import VAPID_KEY
from tests.house.starting import ROOT, copy_code, start
from voicechat import vendor_keys
from voicechat.env import Env
from voicechat.loose_settings import HOSTS, sign_of_a_host
from voicechat.secret import development_secret, is_unguessable

PRODUCTION = {
    "DB_ENV": "production",
    "SECRET_KEY": "T5-made-up-for-tests-and-never-to-be-used_0qYx7KdWm",
    "DATABASE_URL": "sqlite:///:memory:",
    "PUBLIC_URL": "https://api.example.com",
    "ALLOW_OPEN_ACCESS": "true",
}


def test_production_starts_with_what_it_needs():
    accepted, said = start(PRODUCTION)
    assert accepted, said
    assert said.startswith("{} {} {}")


APNS = {name.upper(): value for name, value in apns.CREDENTIALS.items()}
SIGN_IN = {"ALLOW_OPEN_ACCESS": "", "OIDC_ISSUER": "https://family.eu.auth0.com/", "OIDC_AUDIENCE": "react, ios"}


def test_production_starts_with_sign_in_alone():
    accepted, said = start({**PRODUCTION, **SIGN_IN})
    assert accepted, said


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"OIDC_ISSUER": ""}, "OIDC_ISSUER is missing"),
        ({"OIDC_AUDIENCE": ""}, "half configured"),
        ({"OIDC_ISSUER": "http://family.eu.auth0.com"}, "OIDC_ISSUER is"),
        ({"OIDC_ISSUER": "family.eu.auth0.com"}, "OIDC_ISSUER is"),
        ({"SIGN_IN": "on"}, "SIGN_IN=on"),
        ({"SIGN_IN": "yes"}, "SIGN_IN is"),
    ],
)
def test_production_refuses_a_sign_in_that_is_none(change, named):
    accepted, said = start({**PRODUCTION, **SIGN_IN, **change})
    assert not accepted
    assert named in said


MAIL = {"EMAIL_HOST": "mail.example.com", "DEFAULT_FROM_EMAIL": "Family Calls <hello@example.com>"}
ACCOUNT = fcm.account("https://o.example.com")
UNUSABLE = {
    "no PEM": (vendor_keys.pem, "k"),
    "another kind of key": (vendor_keys.pem, ACCOUNT["private_key"]),
    "an empty file": (vendor_keys.service_account, "{}"),
    "no path": (vendor_keys.service_account, "[" * 9999),
    "deep": (vendor_keys.service_account, '{"a":' * 9999),
    "a key that is none": (vendor_keys.service_account, json.dumps({**ACCOUNT, "private_key": "k"})),
    "a project that is none": (vendor_keys.service_account, json.dumps({**ACCOUNT, "project_id": 5})),
    **{
        f"no {name}": (vendor_keys.service_account, json.dumps({key: ACCOUNT[key] for key in ACCOUNT if key != name}))
        for name in ("client_email", "private_key", "project_id", "token_uri")
    },
    "a short number": (vendor_keys.number, "AAAA"),
    "no base64": (vendor_keys.number, "é" * 43),
    "nought": (vendor_keys.number, "A" * 43),
    "no address": (vendor_keys.subject, "o@example.com"),
    "nobody": (vendor_keys.subject, "mailto:"),
    "no sender": (vendor_keys.sender, "Family"),
    "two lines": (vendor_keys.sender, "hello@example.com\nBcc: a@example.com"),
    "another alphabet": (vendor_keys.sender, "grüße@example.com"),
}


@pytest.mark.parametrize(("read", "value"), UNUSABLE.values(), ids=UNUSABLE)
def test_a_key_that_cannot_be_used_is_told_and_not_quoted(read, value):
    env = Env({"NAME": value})
    assert env.key("NAME", read, "do this.") == ""
    assert env.faults == ["NAME cannot be used: do this."]


def test_each_way_to_notify_is_on_where_its_variables_are_set(tmp_path):
    file = tmp_path / "account.json"
    file.write_text(json.dumps(fcm.account("https://oauth2.googleapis.com/token")))
    web_push = {"VAPID_PRIVATE_KEY": VAPID_KEY, "VAPID_SUBJECT": "mailto:o@example.com"}
    one_line = {**APNS, "APNS_KEY": apns.KEY.replace("\n", "\\n")}
    for found in (one_line, APNS):
        environment = {**PRODUCTION, **found, **web_push, "FCM_CREDENTIALS": str(file)}
        accepted, said = start(environment, show="[each['BACKEND'] for each in s.NOTIFICATIONS]")
        assert accepted, said
        assert [name in said for name in ("apns.APNs", "fcm.FCM", "web_push.WebPush", "Notify")] == [True] * 3 + [False]


@pytest.mark.parametrize(
    ("environment", "shown"),
    [
        (PRODUCTION, "{}"),
        ({"DB_ENV": "development"}, "sandbox_mail"),
        ({**PRODUCTION, **MAIL}, "smtp.SMTPMailer"),
        ({**PRODUCTION, **MAIL, "EMAIL_HOST": "127.0.0.1", "EMAIL_USE_TLS": "false"}, "smtp.SMTPMailer"),
    ],
)
def test_e_mail_is_on_where_its_variables_are_set(environment, shown):
    accepted, said = start(environment, show="s.MAIL.get('BACKEND', {})")
    assert accepted, said
    assert shown in said


def test_production_names_everything_that_is_missing_at_once():
    accepted, said = start({"DB_ENV": "production"})
    assert not accepted
    assert all(name in said for name in ("SECRET_KEY", "DATABASE_URL", "PUBLIC_URL", "ALLOW_OPEN_ACCESS"))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"PUBLIC_URL": "http://api.example.com"}, "PUBLIC_URL"),
        ({"PUBLIC_URL": "https://user:word@api.example.com"}, "PUBLIC_URL"),
        ({"SECRET_KEY": "x"}, "SECRET_KEY can be guessed"),
        ({"SECRET_KEY": "s" * 60}, "SECRET_KEY can be guessed"),
        ({"SECRET_KEY": "password" * 8}, "SECRET_KEY can be guessed"),
        ({"SECRET_KEY": "0123456789" * 6}, "SECRET_KEY can be guessed"),
        ({"SECRET_KEY": "django-insecure-)k3d!kz0q+5sm$2^wq8&8x#e(c7v9"}, "SECRET_KEY can be guessed"),
        ({"SECRET_KEY_FALLBACKS": "x"}, "SECRET_KEY_FALLBACKS can be guessed"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS"),
        ({"ALLOWED_HOSTS": "api.example.com, *"}, "ALLOWED_HOSTS"),
        ({"TWILIO_API_BASE": "http://api.example.com"}, "TWILIO_API_BASE"),
        ({"STRIPE_API_BASE": "http://api.example.com"}, "STRIPE_API_BASE"),
        ({"STRIPE_API_BASE": "http://127.0.0.1.example.com"}, "STRIPE_API_BASE"),
        ({"CLOUDINARY_API_BASE": "http://10.0.0.1"}, "CLOUDINARY_API_BASE"),
        ({"CORS_ALLOWED_ORIGINS": "http://app.example.com"}, "production needs https"),
        ({"CORS_ALLOWED_ORIGINS": "https://app.example.com, null"}, "'null'"),
        ({"CORS_ALLOWED_ORIGINS": "https://*.example.com"}, "CORS_ALLOWED_ORIGINS"),
        ({"CORS_ALLOWED_ORIGINS": "https://app.example.com/"}, "CORS_ALLOWED_ORIGINS"),
        ({"CORS_ALLOWED_ORIGINS": "app.example.com"}, "CORS_ALLOWED_ORIGINS"),
        ({"CORS_ALLOWED_ORIGINS": "https://a.example.com:port"}, "CORS_ALLOWED_ORIGINS"),
        ({"PUBLIC_URL": "https://example.com/voice"}, "with a path: the server needs a host or a port of its own"),
        ({"HOST": "localhost"}, "HOST is 'localhost': use one address"),
        ({"THREADS": "0"}, "THREADS"),
        ({"REDIS_URL": "rediss://r/0?ssl_ca_certs=/nowhere"}, "ssl_ca_certs='/nowhere', where there is no file"),
        ({"REDIS_URL": "rediss://r/0?ssl_cert_reqs=x"}, "?ssl_ca_certs=/etc/ssl/redis.pem"),
        ({"CORS_ALLOWED_ORIGINS": "*"}, "CORS_ALLOWED_ORIGINS"),
        ({"ACCOUNT_SID": "AC1", "AUTH_TOKEN": "t"}, "also set API_KEY, API_KEY_SECRET, APP_SID, CALLER_ID, or"),
        ({"SERVICE_SID": "IS1"}, "also set ACCOUNT_SID"),
        ({"AUTH_TOKEN_SECONDARY": "t"}, "also set ACCOUNT_SID"),
        ({"APNS_KEY": "k"}, "also set APNS_KEY_ID, APNS_TEAM_ID, APNS_TOPIC"),
        ({"FCM_CREDENTIALS": "/nowhere.json"}, "FCM_CREDENTIALS cannot be used"),
        ({"VAPID_SUBJECT": "mailto:o@example.com"}, "also set VAPID_PRIVATE_KEY"),
        ({"WEBPUSH_API_BASE": "https://push.example.com"}, "WEBPUSH_API_BASE sends"),
        ({"APNS_API_BASE": "http://push.example.com"}, "APNS_API_BASE"),
        ({"EMAIL_HOST": "mail.example.com"}, "also set DEFAULT_FROM_EMAIL"),
        ({"EMAIL_HOST_USER": "u", "EMAIL_HOST_PASSWORD": "w"}, "also set EMAIL_HOST, DEFAULT_FROM_EMAIL"),
        ({**MAIL, "EMAIL_HOST_USER": "u"}, "set both EMAIL_HOST_USER and EMAIL_HOST_PASSWORD"),
        ({**MAIL, "EMAIL_USE_TLS": "false"}, "EMAIL_USE_TLS is false"),
        ({**MAIL, "EMAIL_USE_TLS": "perhaps"}, "EMAIL_USE_TLS"),
        ({**MAIL, "EMAIL_PORT": "smtp"}, "EMAIL_PORT"),
        ({**MAIL, "DEFAULT_FROM_EMAIL": "hello"}, "DEFAULT_FROM_EMAIL cannot be used"),
        ({"INVITATION_URL": "https://app.example.com/join"}, "INVITATION_URL"),
        ({"INVITATION_URL": "https://user:word@app.example.com/"}, "INVITATION_URL"),
        ({"INVITATION_URL": "join/"}, "INVITATION_URL"),
        ({"INVITATION_URL": "http://app.example.com/join/"}, "INVITATION_URL is"),
        ({"CLIENT_URL": "http://app.example.com"}, "CLIENT_URL is"),
        ({"CONFERENCE_PREFIX": "two words"}, "CONFERENCE_PREFIX"),
        ({"CONFERENCE_PREFIX": "x" * 33}, "CONFERENCE_PREFIX"),
        ({"CONFERENCE_PREFIX": "größe"}, "CONFERENCE_PREFIX"),
        ({"TWILIO_REGION": "ie1.twilio.com/"}, "TWILIO_REGION"),
        ({"CLOUDINARY_API_KEY": "k"}, "CLOUDINARY_API_SECRET"),
        ({"PORT": "http"}, "PORT"),
        ({"ALLOW_OPEN_ACCESS": "yes"}, "ALLOW_OPEN_ACCESS"),
        ({"CALL_RATE": "0.00000001"}, "CALL_RATE"),
        ({"DB_ENV": "prod"}, "DB_ENV"),
        ({"DATABASE_URL": "mysql://u:p@h/n"}, "DATABASE_URL"),
        ({"DATABASE_URL": "what?"}, "DATABASE_URL"),
        ({"DATABASE_URL": "postgres://u:p@[::1/n"}, "DATABASE_URL"),
        ({"PUBLIC_URL": "https://[::1"}, "PUBLIC_URL"),
        ({"STRIPE_WEBHOOK_SECRET": "whsec_1"}, "SK_TEST"),
        ({"CALL_RATE": "1e999999999"}, "CALL_RATE"),
        ({"WEB_CONCURRENCY": "9" * 5000}, "WEB_CONCURRENCY"),
        ({"GUNICORN_CMD_ARGS": "--log-level 'info"}, "GUNICORN_CMD_ARGS"),
        ({"THROTTLE_UPLOADS": "often"}, "THROTTLE_UPLOADS"),
        ({"TRUSTED_PROXIES": "nginx"}, "TRUSTED_PROXIES"),
        ({"REDIS_URL": "localhost:6379"}, "REDIS_URL"),
        ({"FAILPOINT": "after_charge"}, "FAILPOINT"),
        ({"HOLD_MINUTES": "0"}, "HOLD_MINUTES"),
        ({"DB_ENV": "testing", "FAILPOINT": "after_lunch"}, "FAILPOINT"),
    ],
)
def test_a_fault_is_named(change, named):
    accepted, said = start({**PRODUCTION, **change})
    assert not accepted
    assert named in said


ON_A_HOST = [
    *({name: "1"} for name in HOSTS),
    {"DATABASE_URL": "postgres://app:s3same-@db.example.com/n", "PUBLIC_URL": "https://api.example.com"},
]


def sign(environment):
    database = Env(environment).database("DATABASE_URL", "sqlite:///x")
    return sign_of_a_host(environment, database=database, public_url=environment.get("PUBLIC_URL", ""))


@pytest.mark.parametrize("found", ON_A_HOST, ids=lambda each: next(iter(each)))
def test_a_host_is_known_by_what_it_sets(found):
    assert next(iter(found)) in sign(found)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"DYNO": ""},
        {"DATABASE_URL": "postgres://postgres@127.0.0.1:5432/n"},
        {"PUBLIC_URL": "https://abc.ngrok.example"},
        {"DATABASE_URL": "postgres://postgres@127.0.0.1:5432/n", "PUBLIC_URL": "https://localhost:3300"},
        {"DATABASE_URL": "postgres://postgres@127.0.0.1:5432/n", "PUBLIC_URL": "http://192.0.2.1:3300"},
    ],
)
def test_ones_own_machine_is_no_host(change):
    assert sign(change) is None


@pytest.mark.parametrize("found", [ON_A_HOST[0], ON_A_HOST[-1]], ids=["host", "database"])
@pytest.mark.parametrize("unset", [{}, {"DB_ENV": ""}], ids=["unset", "empty"])
def test_on_a_host_the_server_starts_as_development_only_where_that_is_said(found, unset, tmp_path):
    copy_code(tmp_path)
    accepted, said = start({**found, **unset}, folder=tmp_path)
    assert not accepted
    assert "DB_ENV is missing" in said
    assert "DB_ENV=development" in said
    accepted, said = start({**found, "DB_ENV": "development"}, folder=tmp_path, show="s.PRODUCTION")
    assert (accepted, said.split()[-1]) == (True, "False")


def test_every_fault_is_named_at_once_and_no_secret_with_it():
    faults = {
        "SECRET_KEY": "sesame",
        "ALLOWED_HOSTS": "*",
        "STRIPE_API_BASE": "http://s.example.com",
        "CORS_ALLOWED_ORIGINS": "http://app.example.com",
        "OIDC_ISSUER": "http://i.example.com",
    }
    accepted, said = start({**PRODUCTION, **faults})
    assert not accepted
    assert [name for name in faults if f"- {name}" not in said] == []
    assert "sesame" not in said


def test_what_never_leaves_the_machine_needs_no_https():
    near = {"STRIPE_API_BASE": "http://127.0.0.1:12111", "TWILIO_API_BASE": "http://[::1]:1", "PORT": "3300"}
    accepted, said = start({**PRODUCTION, **near})
    assert accepted, said


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"DATABASE_URL": "sqlite:////srv/db.sqlite3"}, "DATABASE_URL is SQLite"),
        ({"DATABASE_URL": "postgres://postgres:postgres@db.example.com/n"}, "everybody tries first"),
        ({"DATABASE_URL": "postgres://app@db.example.com/n?sslmode=require"}, "everybody tries first"),
        ({"DATABASE_URL": "postgres://app:app@db.example.com/n?sslmode=require"}, "everybody tries first"),
        ({"DATABASE_URL": "postgres://app:s3same-@db.example.com/n"}, "does not insist on TLS"),
        ({"DATABASE_URL": "postgres://app:s3same-@db.example.com/n?sslmode=prefer"}, "does not insist on TLS"),
        ({"THROTTLE_PAYMENTS": "off", "THROTTLE_SIGN_UP": "off"}, "THROTTLE_PAYMENTS, THROTTLE_SIGN_UP: off"),
        ({"PUBLIC_URL": "https://localhost:3300"}, "PUBLIC_URL is this machine's own address"),
        ({"CORS_ALLOWED_ORIGINS": "http://localhost:3000"}, "CORS_ALLOWED_ORIGINS has http://localhost:3000"),
        ({"SK_TEST": "sk_test_1"}, "test mode"),
        ({}, "[]"),
    ],
)
def test_what_somebody_may_mean_is_told_when_the_server_starts(change, told):
    safe = {"DATABASE_URL": "postgres://app:s3same-@db.example.com/n?sslmode=require"}
    accepted, said = start({**PRODUCTION, **safe, **change}, show="s.LOOSE")
    assert accepted, said
    assert told in said
    assert "s3same" not in said


def test_development_is_told_nothing_of_it():
    accepted, said = start({"DB_ENV": "development", "THROTTLE_PAYMENTS": "off"}, show="s.LOOSE")
    assert (accepted, said.strip()) == (True, "[]")


def test_production_names_its_cookies_for_this_host_alone():
    show = "s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE"
    accepted, said = start(PRODUCTION, show=show)
    assert (accepted, said.split()) == (True, ["__Host-sessionid", "__Host-csrftoken", "True", "True"])


def test_secrets_of_before_may_go_on_for_a_while():
    old = "an-older-one_8hGq2LpZr4-VtNx6BsKe0Jw"
    accepted, said = start({**PRODUCTION, "SECRET_KEY_FALLBACKS": f"{old}, {old}2"}, show="s.SECRET_KEY_FALLBACKS")
    assert (accepted, said.strip()) == (True, str([old, f"{old}2"]))


@pytest.mark.parametrize("make", [secrets.token_urlsafe, secrets.token_hex])
def test_random_secrets_are_taken(make):
    assert all(is_unguessable(make(32)) for _ in range(1000))


def test_stripe_alone_is_real_and_asks_for_a_balance():
    accepted, said = start({**PRODUCTION, "SK_TEST": "sk_test_1"})
    assert accepted
    assert "StripePayments" in said
    assert said.rstrip().endswith("500000")


SIX = dict.fromkeys(("ACCOUNT_SID", "API_KEY", "API_KEY_SECRET", "APP_SID", "AUTH_TOKEN", "CALLER_ID"), "x")


def test_six_variables_of_twilio_make_calls_work():
    accepted, said = start({**PRODUCTION, **SIX}, show="s.TELEPHONY, s.NOTIFICATIONS")
    assert accepted, said
    assert "TwilioTelephony" in said
    assert said.rstrip().endswith("[]")


def test_each_other_variable_of_twilio_is_read_where_it_is_set():
    more = {
        "SERVICE_SID": "IS1",
        "PUSH_CREDENTIAL_SID": "CR1",
        "AUTH_TOKEN_SECONDARY": "old",
        "CONFERENCE_PREFIX": "a-",
    }
    place = {"TWILIO_REGION": "ie1", "TWILIO_EDGE": "dublin"}
    accepted, said = start(
        {**PRODUCTION, **SIX, **more, **place}, show="s.TELEPHONY, s.NOTIFICATIONS, s.CONFERENCE_PREFIX"
    )
    assert accepted, said
    assert all(value in said for value in (*more.values(), *place.values(), "TwilioNotify"))


SERVICE = {"TWILIO_MESSAGING_SERVICE_SID": "MG1"}


@pytest.mark.parametrize(
    ("set_to", "is_sent_by"),
    [
        ({**PRODUCTION, **SIX, **SERVICE}, "{}"),
        ({**PRODUCTION, **SIX, **SERVICE, "SMS": "off"}, "{}"),
        ({**PRODUCTION, **SIX, **SERVICE, "SMS": "on"}, "TwilioSMS"),
        ({**SIX, **SERVICE, "SMS": "on"}, "TwilioSMS"),
        ({"SMS": "on"}, "SandboxSMS"),
        ({}, "{}"),
    ],
)
def test_text_messages_are_sent_where_the_operator_says_so(set_to, is_sent_by):
    accepted, said = start(set_to, show="s.SMS")
    assert accepted, said
    assert is_sent_by in said


@pytest.mark.parametrize(
    ("set_to", "said"),
    [
        ({**PRODUCTION, "SMS": "on"}, "SMS is on, and needs ACCOUNT_SID, AUTH_TOKEN, TWILIO_MESSAGING_SERVICE_SID."),
        ({**PRODUCTION, **SIX, "SMS": "on"}, "SMS is on, and needs TWILIO_MESSAGING_SERVICE_SID."),
        ({"SMS": "yes"}, "SMS is 'yes': use one of off, on."),
    ],
)
def test_text_messages_that_could_not_be_sent_are_refused_at_the_start(set_to, said):
    accepted, answer = start(set_to)
    assert not accepted
    assert said in answer


def test_stripes_webhook_secret_may_be_several():
    both = {"SK_TEST": "sk_test_1", "STRIPE_WEBHOOK_SECRET": "whsec_new, whsec_old"}
    accepted, said = start({**PRODUCTION, **both}, show="s.PAYMENTS['OPTIONS']['webhook_secret']")
    assert (accepted, said.strip()) == (True, "whsec_new,whsec_old")


def test_the_example_names_exactly_the_variables_that_are_read():
    written = re.findall(r"^([A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert sorted(written) == sorted(voicechat.settings.env.names)


def test_an_empty_variable_is_an_unset_one():
    assert Env({"PORT": ""}).whole("PORT", 3300) == 3300


def fault_of(reader, value, *default):
    """What is said of a value that cannot be used."""
    env = Env({"NAME": value})
    getattr(env, reader)("NAME", *default)
    with pytest.raises(ImproperlyConfigured, match="NAME") as error:
        env.done()
    return str(error.value)


READ = {
    "blanks around it": ("text", " word ", [], "word"),
    "a list": ("words", "a, ,b ,", [], ["a", "b"]),
    "the first choice": ("choice", "", [("off", "on")], "off"),
    "another choice": ("choice", "on", [("off", "on")], "on"),
    "a flag in any case": ("flag", "True", [], True),
    "a flag that is not set": ("flag", "", [], False),
    "the lowest number": ("whole", "1", [5, 1, 10], 1),
    "the highest number": ("whole", "10", [5, 1, 10], 10),
    "a number of ten digits": ("whole", "2147483648", [5], 2**31),
    "no amount": ("micros", "0", ["1"], 0),
    "a micro-dollar": ("micros", "0.000001", ["1"], 1),
    "a million": ("micros", "1000000", ["1"], 10**12),
    "telephones, each once": (
        "telephones",
        "+1202555, +120255501234567,+1202555",
        [],
        ["+1202555", "+120255501234567"],
    ),
    "countries, each once": ("countries", "us, , ca,US", ["US"], ["US", "CA"]),
    "no country": ("countries", "none", ["US"], []),
    "an address to listen on": ("ip", "[::1]", [], "::1"),
    "an address, no final slash": ("url", "https://api.example.com/v1/", [], "https://api.example.com/v1"),
    "a beginning of 200 letters": (
        "prefix",
        f"https://a.example/{'x' * 181}/",
        [""],
        f"https://a.example/{'x' * 181}/",
    ),
    "a label of 32 letters": ("label", "a_-9" * 8, [], "a_-9" * 8),
    "flags": ("command_line", "--bind '127.0.0.1:0' -x", [], ["--bind", "127.0.0.1:0", "-x"]),
}


@pytest.mark.parametrize(("reader", "value", "rest", "read"), READ.values(), ids=READ)
def test_a_value_is_read_as_what_it_is(reader, value, rest, read):
    env = Env({"NAME": value})
    assert getattr(env, reader)("NAME", *rest) == read
    env.done()


REFUSED = [
    *(("choice", value, [("off", "on")]) for value in ("yes", "ON")),
    *(("flag", value, []) for value in ("yes", "1", "truth")),
    *(("whole", value, [5, 1, 10]) for value in ("0", "11", "-1", "x", "1.5", "²", "٣", "00000000005")),
    *(
        ("micros", value, ["0.0085"])
        for value in ("-1", "x", "inf", "NaN", "1e400", "0.0000005", "1e-8", "0.00000001", "1000000.000001")
    ),
    *(
        ("telephones", f"+12025550123,{value}", [])
        for value in ("12025550123", "+02025550", "+120255", "+1" + "2" * 15)
    ),
    *(("telephones", value, []) for value in ("+1202555012٣", "+1 202 555 0123")),
    *(("countries", value, ["US"]) for value in ("XX", "USA", "US,none")),
    *(("ip", value, []) for value in ("localhost", "127.0.0.1:80", "10.0.0.0/8")),
    *(
        ("url", f"https://{value}", ["https://a.example"])
        for value in ("", "a.example?x=1", "a.example#x", "u@a.example")
    ),
    *(
        ("url", value, ["https://a.example"])
        for value in ("ftp://a.example", "a.example", "https:/a.example", "https://[")
    ),
    *(("prefix", f"https://a.example{value}", [""]) for value in ("", "/join", "/x y/", '/"/', f"/{'x' * 182}/")),
    *(("prefix", value, [""]) for value in ("ftp://a.example/", "https:///", "https://u@a.example/")),
    *(("label", value, []) for value in ("a" * 33, "a b", "ä", "a.b")),
    *(("command_line", value, []) for value in ("'--bind", "x\\")),
]


@pytest.mark.parametrize(("reader", "value", "rest"), REFUSED)
def test_what_cannot_be_read_is_a_fault_that_names_it(reader, value, rest):
    fault_of(reader, value, *rest)


@pytest.mark.parametrize("value", ["30", "0/hour", "1001/hour", "30/week", "30/hours", "-1/day", "٣/day", "no"])
def test_what_is_no_rate_is_a_fault(value):
    assert "30/hour" in fault_of("rate", value, "off")


@pytest.mark.parametrize(
    ("value", "rate"), [("1/second", (1, 1)), ("1/minute", (1, 60)), ("1000/Day", (1000, 86400)), ("off", None)]
)
def test_a_rate_is_how_many_in_how_many_seconds(value, rate):
    assert Env({"NAME": value}).rate("NAME", "30/hour") == rate
    assert Env({}).rate("NAME", "30/hour") == (30, 3600)


@pytest.mark.parametrize("value", ["proxy", "10.0.0.1/8", "10.0.0.0/33", "0.0.0.0/0", "::/0", "10.0.0.1:80", "*"])
def test_what_is_no_network_to_trust_is_a_fault(value):
    assert value in fault_of("networks", f"127.0.0.1, {value}")


def test_addresses_and_networks_may_be_mixed():
    assert [str(each) for each in Env({"NAME": "10.0.0.0/8, 127.0.0.1,::1"}).networks("NAME")] == [
        "10.0.0.0/8",
        "127.0.0.1/32",
        "::1/128",
    ]


@pytest.mark.parametrize(
    "value",
    [
        "what?",
        "http://:sesame@localhost",
        "redis://:sesame@localhost:port",
        "redis://:sesame@[::1",
        "redis://:sesame@a..b",
        "redis://:sesame@localhost?nonsense=1",
        "rediss://:sesame@localhost?ssl_cert_reqs=nonsense",
    ],
)
def test_what_is_no_redis_is_a_fault_that_keeps_the_password(value):
    assert "sesame" not in fault_of("cache", value)


@pytest.mark.parametrize("value", ["redis://localhost", "rediss://user:word@r.example.com:6380/1", "unix:///run/redis"])
def test_redis_is_the_cache_where_it_is_set(value):
    cache = Env({"NAME": value}).cache("NAME")
    assert (cache["BACKEND"].rpartition(".")[2], cache["LOCATION"]) == ("RedisCache", [value])
    assert Env({}).cache("NAME")["BACKEND"].endswith("LocMemCache")


def test_redis_is_trusted_by_an_authority_that_can_be_read(tmp_path):
    authority = tmp_path / "redis.pem"
    address = f"rediss://localhost?ssl_ca_certs={authority}"
    assert "no file that can be read" in fault_of("cache", address)
    authority.write_text("")
    assert Env({"NAME": address}).cache("NAME")["LOCATION"] == [address]


THROTTLES = "s.THROTTLE_SIGN_UP, s.THROTTLE_ACCESS_TOKEN, s.THROTTLE_PAYMENTS, s.THROTTLE_UPLOADS"


@pytest.mark.parametrize(
    ("environment", "rates"),
    [
        (PRODUCTION, "(30, 3600) (120, 3600) (30, 3600) (30, 3600) (1, 60)"),
        ({**PRODUCTION, "THROTTLE_SIGN_UP": "5/day", "THROTTLE_PAYMENTS": "off"}, "(5, 86400) (120, 3600) None"),
        ({**PRODUCTION, "DB_ENV": "testing"}, "None None None None None"),
        ({**PRODUCTION, "DB_ENV": "testing", "THROTTLE_SIGN_UP": "5/day"}, "(5, 86400) None None None None"),
    ],
)
def test_production_has_throttles_and_others_where_they_are_set(environment, rates):
    accepted, said = start(environment, show=f"{THROTTLES}, s.THROTTLE_NOTIFICATIONS")
    assert accepted, said
    assert said.startswith(rates)


def test_where_no_secret_can_be_kept_it_is_one_sentence(tmp_path):
    copy_code(tmp_path)
    (tmp_path / ".secret_key").mkdir()  # cannot be read, and nothing can be put in its place
    accepted, said = start({"DB_ENV": "development"}, folder=tmp_path)
    assert not accepted
    assert "SECRET_KEY is missing, and none can be kept in .secret_key" in said


def test_the_development_secret_is_made_once(tmp_path):
    path = tmp_path / "secret"
    assert development_secret(path) == development_secret(path)
    assert len(path.read_text()) > 50
    assert [each.name for each in tmp_path.iterdir()] == ["secret"]
