"""HEAD says what GET would: https://www.rfc-editor.org/rfc/rfc9110#section-9.3.2"""

import os
from functools import reduce
from http.client import HTTPConnection
from uuid import UUID

import pytest
from django.utils import timezone

from bench.server import gunicorn
from groups.invitations.services import make_link
from tests.wire.test_routes import ROUTES
from users.models import Export
from users.unsubscribing import PATH, unsubscribe_address

pytestmark = [pytest.mark.django_db, pytest.mark.alone]
READ = [
    "/healthz",
    "/readyz",
    *(path for methods, path in ROUTES if "GET" in methods and path not in ("/api/voice/makeCall", "/api/live")),
]
ITS_OWN = {"X-Request-Id"}


def headers(answer):
    return {name: value for name, value in answer.headers.items() if name not in ITS_OWN}


@pytest.fixture
def paths(group, alice):
    _, token = make_link(group_id=group.pk, maker=alice, who="", now=timezone.now(), max_uses=1, days=1)
    no_more = unsubscribe_address(alice.pk).partition(PATH)[2]
    Export.objects.create(pk=UUID(int=(4 << 76) + (8 << 60) + 1), user=alice, made_at=timezone.now(), content=b"PK")
    real = {"users/1": f"users/{alice.pk}", "groups/1": f"groups/{group.pk}", "invitations/x": f"invitations/{token}"}
    real |= {"users/unsubscribe": f"users/unsubscribe{no_more}"}
    return lambda path: reduce(lambda path, old: path.replace(old, real[old]), real, path)


@pytest.mark.parametrize("path", READ)
def test_head_has_the_headers_of_get_and_no_body(api, paths, path):
    path = f"{paths(path)}{'?identity=x' if path.endswith('accessToken') else ''}"
    got, told = api.get(path), api.head(path)
    assert (told.status_code, told.content) == (got.status_code, b"") == (200, b"")
    if not path.startswith("/api/voice"):  # a token is another each time
        assert headers(told) == headers(got)
        assert ("ETag" in told) == told["Content-Type"].startswith("application/json")


def test_head_names_the_next_page(api, alice, bob):
    assert api.head("/api/users?limit=1")["Link"] == api.get("/api/users?limit=1")["Link"]


def test_head_is_304_where_get_is(api, alice):
    etag = api.head("/api/users")["ETag"]
    assert api.head("/api/users", headers={"If-None-Match": etag}).status_code == 304


def test_the_servers_head_is_without_a_body_too(tmp_path):
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{tmp_path}/empty.sqlite3"}
    with gunicorn("voicechat.wsgi", ["--workers", "1"], environment, probe="/healthz") as server:
        connection = HTTPConnection("127.0.0.1", server.port, timeout=30)
        for method, body in (("HEAD", b""), ("GET", b'{"status": "ok"}')):  # on one connection: nothing is left over
            connection.request(method, "/healthz")
            answer = connection.getresponse()
            assert (answer.read(), answer.headers["Content-Length"]) == (body, "16")
        connection.close()
