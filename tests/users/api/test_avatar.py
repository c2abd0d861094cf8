"""An avatar is an https address (outside production http too), or null."""

import pytest

from users.models import User

GOOD = [
    "https://example.com/me.jpg",
    "HTTPS://EXAMPLE.com",
    "https://example.com:8443/a?b=c#d",
    "https://münchen.de/ü.png",
    "http://localhost:3300/media/a.png",
]
NONE = [
    "",
    "x",
    "me.jpg",
    "//example.com/me.jpg",
    "javascript:alert(1)",
    "JaVaScRiPt://example.com/%0aalert(1)",
    "data:image/png;base64,AAAA",
    "data:text/html,<script>",
    "ftp://example.com/a",
    "file:///etc/passwd",
    "blob:https://example.com/1",
    "https:example.com",
    "https:/example.com",
    "https://",
    "https:///a",
    "https://[::1",
    "https://example.com:port/",
    "https://user:password@example.com/a",
    "https://example.com/a b",
    " https://example.com/a",
    "https://example.com/a\n",
    "java\nscript:alert(1)",
    "https://example.com/\u202egpj.exe",
    "https://example.com/\u200b",
    "https://example.com\\@evil.example/",
    'https://example.com/"onerror="alert(1)',
    "https://example.com/<svg>",
]


@pytest.mark.parametrize("address", GOOD)
def test_a_picture_has_an_address(api, alice, address):
    assert api.put(f"/api/users/{alice.pk}", {"avatar": address}).json()["avatar"] == address


@pytest.mark.parametrize("address", NONE)
def test_anything_else_is_refused_in_a_put(api, alice, address):
    answer = api.put(f"/api/users/{alice.pk}", {"avatar": address})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "avatar")
    assert User.objects.get(pk=alice.pk).avatar is None


@pytest.mark.parametrize("address", NONE)
def test_anything_else_counts_as_no_picture_in_a_sign_up(api, db, address):
    answer = api.post("/api/users", {"email": "eve@example.com", "picture": address})
    assert (answer.status_code, answer.json()["avatar"]) == (201, None)


@pytest.mark.parametrize("address", GOOD)
def test_a_sign_up_keeps_a_picture(api, db, address):
    assert api.post("/api/users", {"email": "eve@example.com", "picture": address}).json()["avatar"] == address


def test_production_takes_no_http(api, alice, settings):
    settings.PRODUCTION = True
    assert api.put(f"/api/users/{alice.pk}", {"avatar": "http://example.com/me.jpg"}).status_code == 400
    assert api.put(f"/api/users/{alice.pk}", {"avatar": "https://example.com/me.jpg"}).status_code == 200


def test_no_picture_is_null(api, alice):
    assert api.put(f"/api/users/{alice.pk}", {"avatar": None}).json()["avatar"] is None
