"""Whoever is not signed in is counted by their address, and believed none that they make up."""

from ipaddress import ip_network
from uuid import uuid4

import pytest

PROXY, OUTER_PROXY, CLIENT, OTHER = "10.0.0.1", "10.0.0.2", "198.51.100.1", "198.51.100.2"


@pytest.fixture
def known(api, db, settings):
    """Whether a request from there is counted with those before it."""
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": uuid4().hex}}
    settings.THROTTLE_SIGN_UP = (1, 60)

    def known(connection, forwarded=None):
        headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
        return api.post("/api/users", {}, REMOTE_ADDR=connection, headers=headers).status_code == 429

    return known


@pytest.fixture
def _behind_proxies(settings):
    settings.TRUSTED_PROXIES = [ip_network("10.0.0.0/8"), ip_network("::1"), ip_network("2001:db8:1::/48")]


behind_proxies = pytest.mark.usefixtures("_behind_proxies")


def test_each_address_is_counted_by_itself(known):
    assert not known(CLIENT)
    assert not known(OTHER)
    assert known(CLIENT)


def test_without_proxies_nobody_is_believed(known):
    known(CLIENT)
    assert known(CLIENT, OTHER)


@behind_proxies
def test_who_is_no_proxy_is_not_believed(known):
    known(CLIENT)
    assert known(CLIENT, OTHER)


@behind_proxies
@pytest.mark.parametrize("proxy", [PROXY, f"::ffff:{PROXY}", "::1", "2001:db8:1::5"])
def test_a_proxy_says_who_it_is(known, proxy):
    known(CLIENT)
    assert known(proxy, CLIENT)
    assert not known(proxy, OTHER)


@behind_proxies
@pytest.mark.parametrize(
    "made_up", [OTHER, PROXY, "x", "", ",", f"{OTHER}:80", "a" * 5000, f"{PROXY}," * 500, "unknown", "٣.3.3.3"]
)
def test_what_the_client_wrote_itself_changes_nothing(known, made_up):
    known(CLIENT)
    assert known(PROXY, f"{made_up}, {CLIENT}")
    assert known(PROXY, f"{made_up},{CLIENT} , {OUTER_PROXY}")


@behind_proxies
@pytest.mark.parametrize("odd", ["", "x", f"{CLIENT}:1234", "[2001:db8::1]", "unknown", f"{CLIENT} {OTHER}", "1"])
def test_what_is_no_address_falls_back_to_the_last_good_one(known, odd):
    known(OUTER_PROXY)
    assert known(PROXY, f"{CLIENT}, {odd}, {OUTER_PROXY}")


@behind_proxies
def test_behind_proxies_alone_the_first_one_counts(known):
    known(OUTER_PROXY)
    assert known(PROXY, OUTER_PROXY)


def test_an_ipv6_household_is_one(known):
    known("2001:db8:2:3::1")
    assert known("2001:db8:2:3:ffff::9")
    assert not known("2001:db8:2:4::1")
    assert not known("2001:db8:2:2::1")


def test_ipv4_is_the_same_however_it_is_written(known):
    known(CLIENT)
    assert known(f"::ffff:{CLIENT}")


def test_connections_without_an_address_are_one(known):
    assert not known("")
    assert known("", CLIENT)


@behind_proxies
def test_who_has_no_address_is_no_proxy(known):
    assert not known("", CLIENT)
    assert known("", OTHER)


@behind_proxies
def test_behind_twenty_proxies_in_a_row_a_client_is_known_and_behind_more_nobody(known):
    assert not known(PROXY, ",".join([CLIENT, *[OUTER_PROXY] * 20]))
    assert known(CLIENT)
    assert not known(PROXY, ",".join([CLIENT, *[OUTER_PROXY] * 21]))
