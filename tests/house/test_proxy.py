"""nginx in front, as `deploy/nginx.conf` has it; where nginx itself is installed, tried with it."""

import json
import re
from http.client import HTTPConnection

from bench.server import free_port
from tests.hostile.server import PROBLEM
from tests.house.nginx import SITE, nginx

ORIGIN = {"Origin": "https://app.example.com"}


def listed(header):
    return re.findall(rf'add_header {header} "([^"]*)"', SITE)


def test_what_nginx_says_by_itself_is_a_problem_as_the_applications_are():
    said = [json.loads(each) for each in re.findall(r"return \d+ '([^']*)'", SITE)]
    assert [each["status"] for each in said] == [413, 429, 502, 504]
    assert all(sorted(each) == sorted(PROBLEM) for each in said)
    assert listed("Access-Control-Allow-Origin") == ["*"] * 4


def test_its_answer_before_a_request_names_what_the_application_allows(settings):
    assert listed("Access-Control-Allow-Methods") == [", ".join(settings.CORS_ALLOW_METHODS)]
    assert listed("Access-Control-Allow-Headers") == [", ".join(settings.CORS_ALLOW_HEADERS)]


def test_a_connection_is_kept_for_a_phones_pause_and_says_so():
    assert "keepalive_timeout 80s 75s;" in SITE


def asked(port, method, body=None):
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, "/api/users", body, {**ORIGIN, "Content-Type": "application/json"})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, answer.headers, text


def test_a_page_reads_what_nginx_says():
    with nginx(free_port()) as port:
        for status, body in ((502, b"{}"), (413, bytes(11 * 1024 * 1024))):
            found, headers, text = asked(port, "POST", body)
            assert (found, json.loads(text)["status"]) == (status, status)
            assert headers["Content-Type"] == "application/problem+json"
            assert headers.get_all("Access-Control-Allow-Origin") == ["*"]
        found, headers, _ = asked(port, "OPTIONS")
        assert (found, headers["Access-Control-Allow-Origin"]) == (204, "*")
