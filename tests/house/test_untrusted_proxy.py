"""A proxy whose word is not taken: everybody behind it counts as one address, and operators are told."""

import pytest
from django.core.exceptions import MiddlewareNotUsed
from django.core.management import call_command
from django.test import Client

from billing.models import PaymentNotice
from voicechat.middleware import UntrustedProxyMiddleware, tell_of_proxy
from voicechat.startup import start_lines

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _not_told_yet():
    tell_of_proxy.cache_clear()
    yield
    tell_of_proxy.cache_clear()


def test_it_is_told_once_in_the_log_and_in_the_admin(caplog):
    for _ in range(3):
        Client().get("/healthz", headers={"X-Forwarded-For": "192.0.2.1"})
    assert [line for line in caplog.messages if "TRUSTED_PROXIES" in line] == [PaymentNotice.objects.get().words]
    assert "192.0.2.1" not in PaymentNotice.objects.get().words


def test_without_such_a_header_nothing_is_told():
    Client().get("/healthz")
    assert not PaymentNotice.objects.exists()


def test_where_proxies_are_named_nobody_looks(settings):
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    with pytest.raises(MiddlewareNotUsed):
        UntrustedProxyMiddleware(Client().handler)


@pytest.mark.parametrize(("proxies", "warned"), [([], True), (["10.0.0.0/8"], False)])
def test_production_says_so_when_it_starts_and_when_it_is_checked(settings, capsys, proxies, warned):
    settings.PRODUCTION, settings.TRUSTED_PROXIES = True, proxies
    assert any("TRUSTED_PROXIES is not set" in line for line in start_lines()) == warned
    call_command("check", deploy=True)
    assert ("voicechat.W001" in capsys.readouterr().err) == warned
