"""Under which names the server answers, and what an operator reads of those that are refused."""

import pytest

from tests.house.starting import start
from tests.house.test_environment import PRODUCTION
from voicechat import middleware

PATHS = ("/api/users", "/api/users?limit=1", "/api/groups", "/api/docs", "/admin/login/", "/nothing")
PROBED = ("/healthz", "/readyz", "/")
PRIVATE = ("10.1.2.3", "10.1.2.3:3300", "web-7f9c.internal", "[fd00::5]:3300", "")


@pytest.fixture(autouse=True)
def _public(settings, db):
    settings.ALLOWED_HOSTS = ["api.example.com", "localhost", "127.0.0.1", "[::1]"]


def test_without_allowed_hosts_the_one_of_public_url_is_enough():
    accepted, said = start(PRODUCTION, show="s.ALLOWED_HOSTS")
    assert (accepted, said.strip()) == (True, "['api.example.com', 'localhost', '127.0.0.1', '[::1]']")


@pytest.mark.parametrize("host", ["api.example.com", "api.example.com:443", "API.example.com", "localhost:3300"])
def test_under_a_name_of_its_own_each_path_is_answered(client, host):
    assert {client.get(path, headers={"Host": host}).status_code for path in PATHS} <= {200, 404}


@pytest.mark.parametrize("host", PRIVATE)
def test_probes_ask_by_any_address(client, host):
    assert [client.get(path, headers={"Host": host}).status_code for path in PROBED] == [200] * 3


@pytest.mark.parametrize("host", ["evil.example", "api.example.com.evil.example", "web-7f9c.internal:3300", "10.1.2.3"])
def test_another_name_is_refused_everywhere_and_stands_in_the_log(client, log, host):
    for path in PATHS:
        log.texts.clear()
        assert client.get(path, headers={"Host": host}).status_code == 400
        (line,) = log.named("voicechat.middleware")
        assert (line["level"], line["host"]) == ("WARNING", host)
        assert "ALLOWED_HOSTS" in line["message"]


def test_a_name_that_is_too_long_is_not_told(client, log):
    client.get("/api/users", headers={"Host": f"{'a' * middleware.LONGEST_HOST}.example"})
    assert [line["host"] for line in log.named("voicechat.middleware")] == ["no name of a host"]
