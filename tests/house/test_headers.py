"""What browsers are told about every answer."""

import json
import os
import re
import subprocess
import sys
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser

import pytest

from tests.admin.test_access import PAGES
from tests.house.starting import ROOT
from tests.house.test_environment import PRODUCTION
from users.api.views import UserViewSet
from voicechat.content_security import ADMIN, DOCS, NOTHING

USERS = "/api/users"
EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
PREFLIGHT = {"Origin": "https://app.example.com", "Access-Control-Request-Method": "PUT"}


def assert_secure(answer, policy=NOTHING):
    assert {name: answer.get(name) for name in EVERYWHERE} == EVERYWHERE
    assert answer["Content-Security-Policy"] == policy
    assert answer["X-Request-Id"]


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/", {}, 200),
        ("GET", "/healthz", {}, 200),
        ("GET", "/api/schema", {}, 200),
        ("GET", USERS, {}, 200),
        ("GET", USERS, {"If-None-Match": "*"}, 304),
        ("GET", f"{USERS}/9", {}, 404),
        ("GET", "/nope", {}, 404),
        ("GET", "/media/nope", {}, 404),
        ("GET", "/static/admin/css/base.css", {}, 200),
        ("POST", "/", {}, 405),
        ("DELETE", USERS, {}, 405),
        ("POST", USERS, {}, 400),
        ("POST", USERS, {}, 413),
        ("POST", USERS, {"Content-Type": "application/json; charset=utf-7"}, 415),
        ("OPTIONS", f"{USERS}/1", PREFLIGHT, 200),
    ],
)
def test_every_answer_of_the_api_is_for_programs_alone(client, db, method, path, headers, status):
    body = b" " * 1024 * 1025 if status == 413 else b""
    kind = headers.get("Content-Type", "application/json")
    answer = client.generic(method, path, body, content_type=kind, headers=headers)
    answer.close()
    assert answer.status_code == status
    assert_secure(answer)


KEPT = "private, no-cache"  # a browser keeps it, and asks each time by If-None-Match
NEVER = "no-store"


@pytest.mark.parametrize(
    ("method", "path", "headers", "kept"),
    [
        ("GET", USERS, {}, KEPT),
        ("HEAD", USERS, {}, KEPT),
        ("GET", USERS, {"If-None-Match": "*"}, KEPT),
        ("GET", "/healthz", {}, KEPT),
        ("GET", "/", {}, NEVER),
        ("GET", "/api/docs", {}, NEVER),
        ("GET", f"{USERS}/9", {}, NEVER),
        ("GET", "/nope", {}, NEVER),
        ("GET", "/admin/nope", {}, NEVER),
        ("GET", "/admin", {}, NEVER),
        ("GET", "/media/nope", {}, NEVER),
        ("GET", "/static/nope.css", {}, NEVER),
        ("GET", "/api/voice/accessToken", {}, NEVER),
        ("POST", USERS, {}, NEVER),
        ("POST", "/", {}, NEVER),
        ("PUT", f"{USERS}/9", {}, NEVER),
        ("DELETE", f"{USERS}/9", {}, NEVER),
        ("POST", USERS, {"Transfer-Encoding": "chunked"}, NEVER),
        ("OPTIONS", f"{USERS}/1", PREFLIGHT, NEVER),
        ("GET", "/admin/login/", {}, NEVER),
        ("GET", "/static/admin/css/base.css", {}, "max-age"),
    ],
)
def test_every_answer_says_whether_it_may_be_kept(client, db, method, path, headers, kept):
    answer = client.generic(method, path, b"", content_type="application/json", headers=headers)
    answer.close()
    assert kept in answer["Cache-Control"]
    if kept == KEPT:
        assert answer["ETag"]


def test_a_write_that_succeeds_is_kept_nowhere(client, db):
    answer = client.post(USERS, {"email": "eve@example.com"}, content_type="application/json")
    assert (answer.status_code, answer["Cache-Control"]) == (201, NEVER)


def test_a_fault_of_ours_too(client, db, monkeypatch):
    client.raise_request_exception = False
    monkeypatch.setattr(UserViewSet, "get_queryset", lambda _: 1 / 0)
    answer = client.get(USERS, headers={"Origin": "https://app.example.com"})
    assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (500, "*")
    assert_secure(answer)


def test_a_host_that_is_not_ours_too(client, db, settings):
    settings.ALLOWED_HOSTS = ["api.example.com"]
    answer = client.get("/admin/login/")
    assert answer.status_code == 400
    assert_secure(answer, ADMIN)


def test_an_image_too(client, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    (tmp_path / "photo.png").write_bytes(b"not really")
    answer = client.get("/media/photo.png")
    assert b"".join(answer.streaming_content) == b"not really"
    assert_secure(answer)


class InlineParts(HTMLParser):
    """Collects what a page brings along in itself: scripts, styles and handlers, instead of files."""

    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page.content.decode())

    def handle_starttag(self, tag, attributes):
        has = dict(attributes)
        inline = tag == "style" or (tag == "script" and "src" not in has and has.get("type") != "application/json")
        handlers = [name for name in has if name.startswith("on") or name == "style"]
        self.found += [tag] * inline + handlers


@pytest.mark.parametrize("path", [*PAGES, "/admin/password_change/", "/admin/nope"])
def test_the_admins_pages_hold_nothing_that_their_policy_forbids(admin_client, path):
    page = admin_client.get(path)
    assert_secure(page, ADMIN)
    assert InlineParts(page).found == []


def test_the_admins_policy_runs_and_shows_its_own_files_alone():
    assert "unsafe" not in ADMIN
    assert "default-src 'none'" in ADMIN
    assert {part.partition(" ")[2] for part in ADMIN.split("; ")} == {"'none'", "'self'"}


@pytest.mark.parametrize("path", ["/api/docs", "/api/docs/"])
def test_the_docs_page_holds_one_style_which_its_policy_names(client, db, path):
    page = client.get(path)
    assert_secure(page, DOCS)
    assert InlineParts(page).found == ["style"]
    (style,) = re.findall("<style>(.*?)</style>", page.content.decode(), re.DOTALL)
    assert f"'sha256-{b64encode(sha256(style.encode()).digest()).decode()}'" in DOCS


def test_the_docs_script_is_a_file_of_its_own(client, db):
    page = client.get("/api/docs").content.decode()
    script = client.get(re.findall('<script src="(/api/docs[^"]*)"', page)[0])
    assert script["Content-Type"].startswith("application/javascript")
    assert b"SwaggerUIBundle" in script.content


@pytest.fixture(scope="module")
def production():
    """Answers of the server as production configures it, asked in a process of its own: (status, headers)."""
    code = """
import django, json, sys
django.setup()
from django.test import Client
client = Client(headers={"host": "api.example.com"}, raise_request_exception=False)
asked = {
    "https": client.get("/healthz", secure=True),
    "https error": client.get("/nope", secure=True),
    "http": client.get("/api/nope"),
    "http admin": client.get("/admin/?next=/x"),
    "http admin, evil host": client.get("/admin/", headers={"host": "evil.example"}),
}
print(json.dumps({name: [answer.status_code, dict(answer.items())] for name, answer in asked.items()}))
"""
    done = subprocess.run(  # noqa: S603  # our own interpreter
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "voicechat.settings", **PRODUCTION},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_production_says_that_https_is_to_stay(production):
    for name in ("https", "https error"):
        _, headers = production[name]
        assert headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"
        assert_secure(headers)


def test_production_answers_the_api_without_https_and_redirects_the_admin(production):
    assert production["http"][0] == 404
    assert production["http admin"][0] == 301
    assert production["http admin"][1]["Location"] == "https://api.example.com/admin/?next=/x"
    assert_secure(production["http admin"][1], ADMIN)


def test_production_redirects_to_no_host_that_the_client_names(production):
    status, headers = production["http admin, evil host"]
    assert (status, headers["Location"]) == (301, "https://api.example.com/admin/")
    assert_secure(headers, ADMIN)
