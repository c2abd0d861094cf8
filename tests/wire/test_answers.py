"""ETag and 304, paging, CORS, and what errors look like."""

import re

import pytest
from django.db import OperationalError

from tests.conftest import person
from users.api.views import UserViewSet
from users.models import User

STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
ORIGIN = {"Origin": "https://app.example.com"}


def link_of(answer):
    return re.fullmatch(r'<http://localhost:3300(\S+)>; rel="next"', answer["Link"])[1]


def test_an_unchanged_answer_is_304_without_a_body(api, alice):
    etag = api.get("/api/users")["ETag"]
    again = api.get("/api/users", headers={"If-None-Match": etag})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", etag)


@pytest.mark.parametrize(
    "header",
    ["*", 'W/"x", {etag}', "W/{etag}", '"{bare}-gzip"', 'W/"{bare}-gzip"', '"{bare}-br"', '"x","{bare}--gzip"'],
)
def test_if_none_match_is_read_as_the_rfc_says_and_as_proxies_write_it(api, alice, header):
    etag = api.get("/api/users")["ETag"]
    named = header.format(etag=etag, bare=etag.strip('"'))
    assert api.get("/api/users", headers={"If-None-Match": named}).status_code == 304


@pytest.mark.parametrize("header", ["", "x", "{bare}", '"{bare}', '"x{bare}"', '"{bare}-"', '"{bare}-x"'])
def test_another_tag_is_another_answer(api, alice, header):
    etag = api.get("/api/users")["ETag"]
    named = header.format(etag=etag, bare=etag.strip('"'))
    assert api.get("/api/users", headers={"If-None-Match": named}).status_code == 200


def test_if_match_is_not_for_reading(api, alice):
    assert api.get("/api/users", headers={"If-Match": '"x"'}).status_code == 200


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/media/x"])
@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_what_can_only_be_read_says_so(client, db, path, method):
    client.handler.enforce_csrf_checks = True
    answer = getattr(client, method)(path)
    assert (answer.status_code, answer["Allow"], answer.json()["code"]) == (405, "GET, HEAD", "method_not_allowed")


def test_a_changed_answer_is_given_anew(api, alice):
    etag = api.get("/api/users")["ETag"]
    api.put(f"/api/users/{alice.pk}", {"callStatus": True})
    assert api.get("/api/users", headers={"If-None-Match": etag}).status_code == 200


@pytest.mark.alone
def test_a_new_page_behind_changes_the_etag_and_304_keeps_the_link(api, alice, bob):
    last = api.get("/api/users?limit=2")
    person("Eve")
    more = api.get("/api/users?limit=2", headers={"If-None-Match": last["ETag"]})
    assert more.status_code == 200
    again = api.get("/api/users?limit=2", headers={"If-None-Match": more["ETag"]})
    assert (again.status_code, again["Link"]) == (304, more["Link"])


def test_answers_are_not_kept_without_asking(api, alice):
    assert api.get("/api/users")["Cache-Control"] == "private, no-cache"


def test_pages_cover_the_list_once_and_keep_other_parameters(api, db):
    for number in range(5):
        person(f"Anne{number}")
    person("Bob")
    first = api.get("/api/users?search=anne&limit=3")
    rest = api.get(link_of(first))
    assert [each["displayName"][-1] for each in (*first.json(), *rest.json())] == ["0", "1", "2", "3", "4"]
    assert "Link" not in rest


@pytest.mark.alone
def test_the_next_page_is_at_our_own_address_whatever_the_host_header_says(api, alice, bob, settings):
    settings.PUBLIC_URL = "https://api.example.com"
    for header in ({}, {"Host": "evil.example"}, {"X-Forwarded-Host": "evil.example"}):
        link = api.get("/api/users?limit=1", headers=header)["Link"]
        assert link == f'<https://api.example.com/api/users?limit=1&after={alice.pk}>; rel="next"'


def test_after_without_a_limit_gives_the_rest(api, alice, bob, carol):
    assert [each["id"] for each in api.get(f"/api/users?after={alice.pk}").json()] == [bob.pk, carol.pk]
    assert api.get(f"/api/users?after={2**63 - 1}").json() == []


@pytest.fixture
def thousand_and_two(db):
    User.objects.bulk_create(User(email=f"{n}@example.com", display_name=str(n)) for n in range(1002))


@pytest.mark.alone
def test_a_list_of_more_than_a_thousand_ends_there_and_links_to_its_rest(api, thousand_and_two):
    first = api.get("/api/users")
    assert (len(first.json()), len(api.get(link_of(first)).json())) == (1000, 2)


@pytest.mark.parametrize(
    "query",
    [
        *("limit=0", "limit=101", "limit=x", "limit=", "limit=-1", "limit=1.5", "limit=٣", f"limit={1:020}"),
        *("after=", "after=x"),
    ],
)
def test_other_page_parameters_are_refused(api, alice, query):
    answer = api.get(f"/api/users?{query}")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, query.partition("=")[0])


def test_times_have_milliseconds_and_z(api, alice):
    assert STAMP.fullmatch(api.get(f"/api/users/{alice.pk}").json()["createdAt"])


def test_a_browser_may_ask_from_anywhere_in_development(api, alice):
    answer = api.get("/api/users", headers=ORIGIN)
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer
    assert answer["Access-Control-Expose-Headers"] == "ETag, Link, Retry-After, X-Access-Mode, X-Request-Id"


def test_errors_can_be_read_by_browsers_too(api, db):
    for answer in (api.get("/api/users/9", headers=ORIGIN), api.get("/nope", headers=ORIGIN)):
        assert answer["Access-Control-Allow-Origin"] == "*"


def test_a_preflight_names_methods_and_headers(api):
    asked = {**ORIGIN, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "content-type"}
    answer = api.options("/api/users/1", headers=asked)
    assert answer["Access-Control-Allow-Methods"] == "GET, POST, PUT, DELETE, OPTIONS"
    asked_for = "authorization, content-type, idempotency-key, if-match, if-none-match, last-event-id"
    assert answer["Access-Control-Allow-Headers"] == asked_for
    assert answer["Access-Control-Max-Age"] == "86400"


def test_named_origins_alone_are_let_in_where_they_are_set(api, alice, settings):
    settings.CORS_ALLOW_ALL_ORIGINS = False
    settings.CORS_ALLOWED_ORIGINS = [ORIGIN["Origin"]]
    assert api.get("/api/users", headers=ORIGIN)["Access-Control-Allow-Origin"] == ORIGIN["Origin"]
    assert "Access-Control-Allow-Origin" not in api.get("/api/users", headers={"Origin": "https://evil.example"})


def test_open_mode_is_said_on_every_answer(api, db):
    assert {api.get(path)["X-Access-Mode"] for path in ("/", "/api/users", "/api/users/9", "/nope")} == {"open"}


def test_every_answer_has_an_id_of_its_own(api, db):
    ids = {api.get(path)["X-Request-Id"] for path in ("/", "/api/users", "/api/users/9", "/nope", "/nope")}
    assert len(ids) == 5


@pytest.mark.parametrize(
    ("given", "kept"), [("0123456789abcdef" * 2, True), ("short", False), ("x y" * 9, False), ("x" * 65, False)]
)
def test_the_id_that_a_proxy_gave_is_kept_if_it_is_one(api, db, given, kept):
    assert (api.get("/", headers={"X-Request-Id": given})["X-Request-Id"] == given) is kept


def test_the_api_sets_no_cookie(api, alice):
    assert not api.get("/api/users").cookies


def test_whatever_the_client_accepts_it_gets_json(api, alice):
    assert api.get("/api/users", headers={"Accept": "text/html"})["Content-Type"] == "application/json"


def test_a_fault_of_ours_says_nothing_of_its_inside(client, db, monkeypatch):
    client.raise_request_exception = False
    monkeypatch.setattr(UserViewSet, "get_queryset", lambda _: 1 / 0)
    answer = client.get("/api/users")
    assert (answer.status_code, answer.json()["code"]) == (500, "server_error")
    assert b"ZeroDivision" not in answer.content


def test_a_database_that_does_not_answer_is_503(api, db, monkeypatch):
    def fail(self):
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(UserViewSet, "get_queryset", fail)
    answer = api.get("/api/users")
    assert (answer.status_code, answer["Retry-After"]) == (503, "2")
    assert b"closed the connection" not in answer.content


@pytest.mark.parametrize("path", ["/adminx", "/api/docsx", f"/media/{'x' * 3000}"])
def test_what_only_looks_like_a_page_is_problem_json(client, db, path):
    answer = client.get(path)
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


@pytest.mark.parametrize("path", ["/admin/nope", "/api/docs/nope"])
def test_pages_for_people_keep_html(admin_client, path):
    assert admin_client.get(path)["Content-Type"].startswith("text/html")


def test_a_host_that_is_not_ours_is_refused_as_problem_json(client, alice, settings):
    settings.ALLOWED_HOSTS = ["api.example.com"]
    answer = client.get("/api/users", headers={"Host": "evil.example"})
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    for probe in ("/", "/healthz", "/readyz/"):
        assert client.get(probe, headers={"Host": "10.0.0.7"}).status_code == 200
