"""Streams through nginx, as `deploy/nginx.conf` has it; where nginx itself is installed, tried with it."""

import json
import re
from contextlib import ExitStack
from http.client import HTTPConnection

import pytest

from tests.house.nginx import SITE, nginx
from tests.live.served import Stream
from tests.live.test_streams import activities
from voicechat.front.streams import COMMENT_SECONDS

pytestmark = pytest.mark.django_db  # whose database is copied
LIMIT = "limit_conn voicechat_streams 200;"


def follows(port, person):
    return Stream(port, {"Authorization": f"Bearer {person.token}"})


def test_what_changes_comes_through_at_once(server, family):
    with nginx(server.port) as port, follows(port, family.bob) as stream:
        stream.hears("ready")
        written = family.alice.writes(family.group, "sang")
        assert activities(stream.hears("activity")) == [written]


def test_of_one_address_so_many_streams_are_let_through_and_requests_beside_them(server, family):
    assert LIMIT in SITE
    few = SITE.replace(LIMIT, "limit_conn voicechat_streams 3;").replace("voicechat 100;", "voicechat 1;")
    with nginx(server.port, few) as port, ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(follows(port, family.bob)).hears("ready")
        refused = stack.enter_context(follows(port, family.bob))
        assert (refused.status, refused.answer.headers["Retry-After"]) == (429, "1")
        assert json.loads(refused.answer.read())["code"] == "throttled"
        asked = HTTPConnection("127.0.0.1", port, timeout=30)
        asked.request("GET", "/healthz")
        assert asked.getresponse().status == 200
        asked.close()


def test_a_stream_says_something_before_nginx_gives_it_up():
    assert int(re.search(r"proxy_read_timeout (\d+)s;", SITE)[1]) > COMMENT_SECONDS
