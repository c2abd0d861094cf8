"""What a client is told of a body that cannot be read: in words, none of them Python's."""

import gzip

import pytest

pytestmark = pytest.mark.django_db
USERS = "/api/users"
PYTHON = (
    "codec",
    "dictionary",
    "Expecting",
    "Extra data",
    "None",
    "char ",
    "delimiter",
    "integer string",
    "str",
    "dict",
)


def post(api, body, kind="application/json", **headers):
    return api.generic("POST", USERS, body, content_type=kind, headers=headers)


def test_a_byte_order_mark_before_json_says_nothing(api):
    assert post(api, b'\xef\xbb\xbf{"email": "eve@example.com"}').status_code == 201


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate", "GZIP", "identity, gzip"])
def test_a_compressed_body_is_415_in_words(api, coding):
    answer = post(api, gzip.compress(b'{"email": "eve@example.com"}'), **{"Content-Encoding": coding})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_encoding")
    assert "compressed" in answer.json()["detail"]
    assert answer["Accept-Encoding"] == "identity"


def test_a_body_that_is_said_not_to_be_compressed_is_read(api):
    assert post(api, b'{"email": "eve@example.com"}', **{"Content-Encoding": "identity"}).status_code == 201


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "line 1, column 2"),
        (b"{'a': 1}", "line 1, column 2"),
        (b'{"a": 1}\n}', "line 2, column 1"),
        (b'{"a": NaN}', "NaN is not a JSON value"),
        (b'{"a": 1e99999999999999999999}', "beyond all bounds"),
        pytest.param(b'{"a": ' + b"9" * 5000 + b"}", "beyond all bounds", id="5000 digits"),
        (gzip.compress(b"{}", mtime=0), "not UTF-8"),
        (b"\xff\xfe", "not UTF-8"),
        (rb'{"a": "\ud800"}', "half a character"),
        (b"[]", "Send an object"),
        (b"null", "Send an object"),
        (b'"x"', "Send an object"),
    ],
)
def test_a_body_that_is_no_json_is_refused_in_our_words(api, body, words):
    answer = post(api, body)
    assert answer.status_code == 400
    assert words in answer.json()["detail"]
    assert not [word for word in PYTHON if word in answer.json()["detail"]]


def test_a_put_of_no_object_is_refused_in_the_same_words(api, alice):
    answer = api.generic("PUT", f"{USERS}/{alice.pk}", "[]", content_type="application/json")
    assert answer.json()["detail"] == "Send an object: the names of fields, each with its value."


@pytest.mark.parametrize(
    "kind", ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=é"]
)
def test_multipart_that_is_none_is_refused_in_our_words(api, kind):
    for path in (USERS, "/api/upload"):
        answer = api.generic("POST", path, b"x", content_type=kind)
        assert answer.status_code == 400
        assert not [word for word in PYTHON if word in answer.json()["detail"]]


@pytest.mark.parametrize(
    "path", ["/api/users/1%2Fdetailed", "/api/users%2F", "/api%2fusers", "/api/users/1%2flast4?a=b"]
)
def test_an_encoded_slash_is_no_slash(api, alice, path):
    answer = api.get(path, RAW_URI=path)  # as gunicorn hands it over
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


def test_an_encoded_slash_in_a_query_is_text(api, alice):
    assert api.get("/api/users?search=a%2Fb", RAW_URI="/api/users?search=a%2Fb").status_code == 200
