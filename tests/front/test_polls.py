"""What the door takes for the same poll as one before it is the same to Django; all else is Django's."""

import asyncio
import json
from uuid import uuid4

import pytest

from core.metrics.counted import counted
from groups.models import Activity, Group
from tests.front.through import TIMES, Through, told
from users.sign_in.local_issuer import local_token
from voicechat.front.counts import counts
from voicechat.front.door import made_of


@pytest.fixture
def api(db):
    client = Through()
    yield client
    client.close()


@pytest.fixture
def path(group):
    return f"/api/groups/{group.pk}/groupMembers"


@pytest.fixture
def kept(api, path):
    """The ETag of what is kept of the plain poll."""
    before = counts.kept
    answer = api.get(path)
    assert counts.kept > before
    return answer["ETag"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Accept": "text/html"},
        {"Accept": "application/json"},
        {"Origin": "https://app.example.com"},
        {"Range": "bytes=0-1"},
        {"X-Of-Tomorrow": "1"},
        {"Authorization": "Basic YTpi"},
        {"Cookie": "sessionid=1", "User-Agent": "a", "Sec-Fetch-Mode": "cors"},
    ],
    ids=str,
)
def test_beside_what_is_kept_other_headers_are_answered_as_by_django(api, path, kept, headers):
    api.get(path, headers=headers)  # compared with Django's answer, each time
    api.get(path)


@pytest.mark.parametrize("header", ["{}", "W/{}", '"x", {}', "*", '"x"', "x"])
def test_who_knows_what_is_kept_is_told_so_as_by_django(api, path, kept, header):
    known, before = {"If-None-Match": header.format(kept)}, counts.kept
    assert api.get(path, headers=known).status_code == (200 if "x" in header and "{" not in header else 304)
    assert counts.kept == before + TIMES


def polled():
    return counts.kept, counts.made, counts.passed


def test_a_header_that_comes_twice_is_read_by_django(api, path, kept):
    before = polled()
    assert api.poll(path, [("If-None-Match", kept), ("If-None-Match", '"x"')]).status_code == 304
    for name, one, other in (("Accept", "application/json", "text/html"), ("X-Request-Id", "a" * 32, "b" * 32)):
        assert api.poll(path, [(name, one), (name, other)]).status_code == 200
    assert polled() == before


def test_an_origin_that_may_not_read_it_is_given_no_answer_of_one_that_may(api, path, settings):
    ours, theirs = ({"Origin": f"https://{name}.example.com"} for name in ("ours", "theirs"))
    settings.CORS_ALLOW_ALL_ORIGINS, settings.CORS_ALLOWED_ORIGINS = False, [ours["Origin"]]
    for headers in (ours, theirs, {}, ours):
        answer = api.get(path, headers=headers)
        assert answer.headers.get("access-control-allow-origin") == (ours["Origin"] if headers is ours else None)


def test_who_comes_without_tls_is_sent_away_whoever_came_with_it(api, path, settings):
    settings.SECURE_PROXY_SSL_HEADER, settings.SECURE_SSL_REDIRECT = ("HTTP_X_FORWARDED_PROTO", "https"), True
    for proto, status in (("https", 200), ("http", 301), ("https", 200)):
        for _ in range(TIMES):
            assert api.poll(path, {"X-Forwarded-Proto": proto}).status_code == status


def test_a_token_that_comes_twice_is_none(api, path, kept, sign_in, bob):
    bearer = ("Authorization", f"Bearer {local_token(bob.email)}")
    assert [api.poll(path, [bearer]).status_code for _ in range(TIMES)] == [200] * TIMES
    assert api.poll(path, [bearer, bearer]).status_code == 401


def test_nobody_is_let_in_by_what_is_no_token(api, path, kept, sign_in, bob):
    token = local_token(bob.email)
    for _ in range(TIMES):
        assert api.poll(path, {"Authorization": f"Bearer {token}"}).status_code == 200
    for no_token in (token, f"bearer{token}", f"Basic {token}", "", "Bearer"):
        assert api.poll(path, {"Authorization": no_token}).status_code == 401


def test_a_page_is_not_the_whole_list(api, group, alice):
    path = f"/api/groups/{group.pk}/activities"
    for word in ("one", "two"):
        Activity.objects.create(group=group, user=alice, activity=word)
    assert len(api.get(path).json()) == 2
    assert len(api.get(f"{path}?limit=1").json()) == 1
    assert len(api.get(path).json()) == 2


def test_what_is_no_get_is_djangos(api, path, kept):
    before = counts.kept
    answer = api.poll(path, method="HEAD")
    assert (answer.status_code, answer.content, counts.kept) == (200, b"", before)
    assert api.poll(path, method="PATCH").status_code == 405


def test_a_request_is_called_as_its_client_calls_it_where_that_is_a_name(api, path, kept):
    given = uuid4().hex
    assert api.poll(path, {"X-Request-Id": given})["x-request-id"] == given
    one, other = (api.poll(path, {"X-Request-Id": "no name!"})["x-request-id"] for _ in range(2))
    assert len({"no name!", one, other}) == 3


def test_a_connection_that_is_to_end_is_told_so_and_ends(api, path, kept):
    answer = api.poll(path, keep_alive=False)
    assert answer["connection"] == "close"


def together(api, path, many=5):
    async def all_of_them():
        return await asyncio.gather(*(api.polled(path) for _ in range(many)))

    return [told(answer) for answer in api.run(all_of_them())]


def test_of_many_who_wait_for_the_same_one_has_it_made(api, path):
    expected = told(api.poll(path))
    kept, made, passed = polled()
    assert together(api, path) == [expected] * 5
    assert polled() == (kept, made + 1, passed)


def test_who_has_seen_something_newer_is_not_given_what_is_made_of_before_it(api, group):
    """One writes while the answer of another poll is made, and reads what they wrote."""
    path, answers = f"/api/groups/{group.pk}/callStatus", []
    api.poll(path)
    make = api.door.bridge.application

    def write_meanwhile(environ, start_response):
        api.door.bridge.application = make
        before = make(environ, start_response)
        Group.objects.filter(pk=group.pk).update(call_status=True)
        answers.append(asyncio.run_coroutine_threadsafe(api.polled(path), api.loop))
        api.here.jobs.get()()  # what the door asks the database
        api.run(asyncio.sleep(0.05))
        return before

    api.door.bridge.application = write_meanwhile
    assert json.loads(api.poll(path).content) == {"callStatus": False}
    api.here.run_until(answers[0])
    assert json.loads(answers[0].result().content) == {"callStatus": True}


def test_what_is_too_large_is_kept_by_nobody_and_made_for_each(api, path, monkeypatch):
    monkeypatch.setattr("voicechat.front.door.MOST_BYTES_OF_ONE", 100)
    expected, before = told(api.poll(path)), counts.kept
    assert together(api, path) == [expected] * 5
    assert (together(api, path), counts.kept) == ([expected] * 5, before)
    assert not any(kept.answers for kept in api.door.shelf.kept.values())


def test_who_always_says_what_they_know_is_answered_from_what_is_kept(api, path):
    known = {"If-None-Match": api.poll(path)["etag"]}
    before = polled()
    assert [api.poll(path, known).status_code for _ in range(2)] == [304, 304]
    assert polled() == (before[0] + 1, before[1] + 1, before[2])


def test_over_a_new_connection_to_the_database_all_is_forgotten(api, kept):
    assert api.door.shelf.kept
    api.door.line.forget()
    assert not api.door.shelf.kept


def test_once_it_leaves_it_says_so(api, kept):
    api.door.leave()
    assert (api.door.is_leaving, api.door.streams.is_ending) == (True, True)


def test_each_poll_is_counted_by_how_it_was_answered(api, path, kept, monkeypatch):
    monkeypatch.setattr(counted, "is_on", True)
    monkeypatch.setattr(counted, "requests", {})
    for known in ({}, {"If-None-Match": kept}):
        api.poll(path, known)
    assert [(method, status) for method, _, status in counted.requests] == [("GET", 200), ("GET", 304)]


@pytest.mark.parametrize("is_logged", [True, False])
def test_a_poll_has_its_line_in_the_log_where_requests_have_one(api, path, kept, monkeypatch, is_logged):
    written = []
    monkeypatch.setattr(api.door, "is_logged", is_logged)
    monkeypatch.setattr(api.door, "write_lines", lambda: written.extend(api.door.lines))
    api.poll(path, {"If-None-Match": kept})
    assert [json.loads(line)["status"] for line in written] == ([304] if is_logged else [])


def test_no_answer_bears_two_names():
    made = made_of("state", [(b"etag", b'"x"'), (b"x-request-id", b"1")], b"")
    assert b"x-request-id" not in made.head + made.head_of_304
