"""DATABASE_URL: what it may say, and the sentence for what it may not."""

from concurrent.futures import ThreadPoolExecutor
from socket import AF_UNIX, socket
from urllib.parse import quote

import psycopg2
import pytest
from django.core.exceptions import ImproperlyConfigured
from psycopg2.extensions import parse_dsn

from tests.house.starting import copy_code, start
from tests.house.test_environment import PRODUCTION
from voicechat.database_options import CHOICES, FILES, GIVE_UP, KNOWN, TEXTS, WHOLE
from voicechat.env import Env

SECRET = "sesame"
PLACES = ("USER", "PASSWORD", "HOST", "PORT", "NAME")


def database(url):
    env = Env({"DATABASE_URL": url})
    found = env.database("DATABASE_URL", "sqlite:///db.sqlite3")
    env.done()
    return found


def said_of(url):
    with pytest.raises(ImproperlyConfigured) as error:
        database(url)
    said = str(error.value)
    assert SECRET not in said
    return said


USABLE = {
    "postgres://u:p@h:5432/n": ("u", "p", "h", "5432", "n"),
    "POSTGRESQL://u@h/n": ("u", "", "h", "", "n"),
    "postgres:///n": ("", "", "", "", "n"),
    "postgres://%2Fvar%2FRun%2Fpostgresql/n": ("", "", "/var/Run/postgresql", "", "n"),
    "postgres://u:p@/n?host=/cloudsql/project:region:Name": ("u", "p", "/cloudsql/project:region:Name", "", "n"),
    "postgres:///?host=h&port=6432&user=u&password=p&dbname=n": ("u", "p", "h", "6432", "n"),
    "postgres://u:%23%40%25%2F%3F%3A+:x y@h/n%20m": ("u", "#@%/?:+:x y", "h", "", "n m"),
    "postgres:///?service=calls": ("", "", "", "", ""),
    f"postgres://u@h:65535/{'n' * 63}": ("u", "", "h", "65535", "n" * 63),
    "postgres://u@[::1]:5433/n": ("u", "", "::1", "5433", "n"),
    "postgres://u@a:1,b,[::1]/n?target_session_attrs=read-write": ("u", "", "a,b,::1", "1,,", "n"),
}


@pytest.mark.parametrize(("url", "places"), USABLE.items())
def test_an_address_is_read_as_libpq_reads_it(url, places):
    assert tuple(database(url)[place] for place in PLACES) == places


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("sqlite:///db.sqlite3", "db.sqlite3"),
        ("SQLite:///db.sqlite3", "db.sqlite3"),
        ("sqlite:////srv/a b/%23.sqlite3", "/srv/a b/#.sqlite3"),
        ("sqlite:///:memory:", ":memory:"),
        ("sqlite://:memory:", ":memory:"),
    ],
)
def test_a_file_is_sqlites(url, name):
    assert (database(url)["ENGINE"].rpartition(".")[2], database(url)["NAME"]) == ("sqlite3", name)


UNUSABLE = {
    "postgresql+psycopg2://u:sesame@h/n": "begins with postgresql+psycopg2://",
    "jdbc:postgresql://h/n": "cannot be used",
    "mysql://u:sesame@h/n": "begins with mysql://",
    "'postgres://u:sesame@h/n'": "cannot be used",
    "u:sesame@h/n": "cannot be used",
    "postgres:/u:sesame@h/n": "cannot be used",
    "u:sesame@h://n": "cannot be used",
    "sesame": "cannot be used",
    **{f"postgres://u:12{sign}sesame@h/n": "by its number" for sign in ("#", "@", "%", "/", "?", "/x?", "%0", "%00")},
    "postgres://u:sesame%FF@h/n": "no UTF-8",
    "postgres://u:sesame@h:port/n": "a host or a port",
    "postgres://u:sesame@h:65536/n": "a host or a port",
    "postgres://u:sesame@h:0/n": "a host or a port",
    "postgres://u:sesame@[::1/n": "a host or a port",
    "postgres://u:sesame@h/n?port=x": "a port",
    "postgres://u:sesame@h": "names no database",
    "postgres://u:sesame@h/?sslmode=require": "names no database",
    "postgres://u:sesame@h/n/m": "more behind the host",
    f"postgres://u:sesame@h/{'n' * 64}": "more behind the host",
    "postgres://u:sesame@h/n?host=g": "says the host twice",
    "postgres://u@h/n?sslmode=require&sslmode=disable": "says the sslmode twice",
    "postgres://u@h/n?sslmode": "no option",
    "postgres://u@h/n?sslmode=nonsense": "sslmode='nonsense': use one of disable, allow, prefer, require",
    "postgres://u@h/n?sslmode=": "sslmode='': use one of",
    "postgres://u@h/n?pgbouncer=true": "pgbouncer (for PgBouncer in transaction mode write pool=transaction)",
    "postgres://u@h/n?ssl=true": "ssl (write sslmode=require)",
    "postgres://u@h/n?SSLMODE=require": "SSLMODE. Known are application_name,",
    "postgres://u@h/n?sesame.=1": "here: one that is no name. Known",
    "postgres://u@h/n?pool=session": "pool='session': use transaction",
    "postgres://u@h/n?connect_timeout=0": "connect_timeout=0",
    "postgres://u@h/n?connect_timeout=1.5": "connect_timeout='1.5': use a whole number",
    "postgres://u@h/n?target_session_attrs=master": "target_session_attrs='master'",
    "postgres://u@h/n?sslrootcert=/nowhere/ca.pem": "sslrootcert='/nowhere/ca.pem', where there is no file",
    "postgres://u@h/n?sslmode=require&sslrootcert=system": "sslrootcert=system",
    "postgres://u@h/n?sslmode=verify-full": "sslmode=verify-full: name the authority's certificate",
    "sqlite://db.sqlite3": "names no file",
    "sqlite:///": "names no file",
    "sqlite:///db.sqlite3?timeout=20": "SQLite takes none",
    "sqlite:///a%": "by its number",
}


@pytest.mark.parametrize(("url", "said"), UNUSABLE.items())
def test_what_cannot_be_used_is_one_sentence_that_keeps_the_password(url, said):
    whole = said_of(url)
    assert said in whole
    assert whole.count("\n  - DATABASE_URL ") == 1


def test_each_fault_is_named_at_once():
    accepted, said = start(
        {**PRODUCTION, "PORT": "x", "DATABASE_URL": "postgres://h/?sslmode=x&foo=1&bar=2&keepalives=9"}
    )
    assert not accepted
    named = ("PORT", "names no database", "sslmode='x'", "here: foo, bar.", "keepalives='9'")
    assert all(each in said for each in named)


def example(name):
    if name in CHOICES:
        return CHOICES[name][-1]
    return "7" if name in WHOLE else "/etc/hostname" if name in FILES else "x"


@pytest.mark.parametrize("name", [name for name in KNOWN if name != "pool"])
def test_an_option_that_is_known_here_is_known_to_libpq(name):
    parse_dsn(f"{name}=x")  # raises for another


def test_the_known_options_work(tmp_path):
    for name in FILES:
        (tmp_path / name).touch(mode=0o600)
    options = {name: str(tmp_path / name) if name in FILES else example(name) for name in KNOWN if name != "pool"}
    found = database("postgres://u@h/n?" + "&".join(f"{name}={value}" for name, value in options.items()))
    assert found["OPTIONS"] == {**GIVE_UP, **options}
    assert {*TEXTS, *WHOLE, *FILES} < set(options)


def test_a_key_that_others_may_read_is_a_fault_as_libpq_would_say(tmp_path):
    for name in ("crt", "key"):
        (tmp_path / name).touch(mode=0o644)
    assert "chmod 600" in said_of(f"postgres://u@h/n?sslcert={tmp_path}/crt&sslkey={tmp_path}/key")
    assert "sslcert without sslkey" in said_of(f"postgres://u@h/n?sslcert={tmp_path}/crt")


def test_verification_is_by_a_named_authority_or_the_machines(tmp_path):
    (tmp_path / "ca.pem").touch()
    for root in (f"{tmp_path}/ca.pem", "system"):
        assert database(f"postgres://u@h/n?sslmode=verify-full&sslrootcert={root}")["OPTIONS"]["sslrootcert"] == root


def test_behind_a_pooler_nothing_is_kept_on_the_connection():
    pooled, direct = database("postgres://u@h/n?pool=transaction"), database("postgres://u@h/n")
    assert (pooled["DISABLE_SERVER_SIDE_CURSORS"], direct["DISABLE_SERVER_SIDE_CURSORS"]) == (True, False)
    assert "pool" not in pooled["OPTIONS"]


def test_the_projects_own_folder_may_have_any_name(tmp_path):
    odd = tmp_path / "a#b %41?"
    copy_code(odd)
    accepted, said = start({"SECRET_KEY": "s", "DB_ENV": "testing"}, 's.DATABASES["default"]["NAME"]', folder=odd)
    assert (accepted, said.strip()) == (True, str(odd / "db.sqlite3"))


def test_a_silent_host_is_given_up_by_default_and_as_the_address_says():
    assert database("postgres://u@h/n")["OPTIONS"]["connect_timeout"] == "3"
    found = database("postgres://u@h/n?connect_timeout=10&tcp_user_timeout=0")["OPTIONS"]
    assert (found["connect_timeout"], found["tcp_user_timeout"], found["keepalives_idle"]) == ("10", "0", "3")


def greet_and_leave(server):
    server.accept()[0].close()


def test_a_sockets_folder_is_connected_to(tmp_path):
    found = database(f"postgres://u@{quote(str(tmp_path), safe='')}/n")
    with socket(AF_UNIX) as server, ThreadPoolExecutor(1) as pool:
        server.bind(str(tmp_path / ".s.PGSQL.5432"))
        server.listen()
        greeted = pool.submit(greet_and_leave, server)
        with pytest.raises(psycopg2.OperationalError, match="closed the connection"):
            psycopg2.connect(host=found["HOST"], user="u", dbname="n", **found["OPTIONS"])
        greeted.result()
