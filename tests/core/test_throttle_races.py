"""Many requests at the same moment: as many get through as there are places, in memory and in Redis."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import uuid4

import pytest
from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis import Redis
from redis.exceptions import RedisError
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.viewsets import ViewSet

from tests.environment import REDIS_URL
from uploads.views import UploadThrottle
from voicechat.env import Env

AT_ONCE, PLACES = 50, 20


class Door(ViewSet):
    authentication_classes = ()
    permission_classes = ()
    throttle_classes = (UploadThrottle.on("create"),)

    def create(self, request):
        return Response()


class ReadTogether(LocMemCache):
    """All that are expected have read before the first one writes."""

    expected = Barrier(1)

    def get_many(self, keys, version=None):
        found = super().get_many(keys, version)
        self.expected.wait()
        return found


@pytest.fixture
def memory(settings):
    cache = Env({}).cache("REDIS_URL")
    settings.CACHES = {"default": {**cache, "BACKEND": f"{__name__}.ReadTogether", "LOCATION": uuid4().hex}}


@pytest.fixture
def redis(settings):
    """A client of the Redis that the throttles then count in, under keys of their own."""
    with Redis.from_url(REDIS_URL) as client:
        try:
            client.ping()
        except (RedisError, RuntimeError) as error:  # the latter is pytest-socket's, for another host than this one
            pytest.skip(f"no Redis answers at REDIS_URL or 127.0.0.1:6379: {type(error).__name__}")
        prefix = uuid4().hex
        settings.CACHES = {"default": {**Env({"REDIS_URL": REDIS_URL}).cache("REDIS_URL"), "KEY_PREFIX": prefix}}
        yield client
        for key in client.scan_iter(f"{prefix}:*"):
            client.delete(key)
        let_go()


def let_go():
    """Closes this thread's connection to Redis, which Django keeps."""
    if isinstance(caches["default"], RedisCache):
        caches["default"]._cache.get_client(write=True).connection_pool.disconnect()


def knock(_=None):
    try:
        return Door.as_view({"post": "create"})(APIRequestFactory().post("/")).status_code
    finally:
        let_go()


@pytest.fixture
def knock_together(monkeypatch):
    """The statuses of so many requests at the same moment."""

    def knock_together():
        with monkeypatch.context() as patch, ThreadPoolExecutor(AT_ONCE) as pool:
            patch.setattr(ReadTogether, "expected", Barrier(AT_ONCE, timeout=30))
            return list(pool.map(knock, range(AT_ONCE)))

    return knock_together


@pytest.mark.parametrize("cache", ["memory", "redis"])
def test_as_many_get_through_as_there_are_places(request, settings, knock_together, cache):
    request.getfixturevalue(cache)
    settings.THROTTLE_UPLOADS = (PLACES, 60)
    answers = knock_together()
    assert (answers.count(200), answers.count(429)) == (PLACES, AT_ONCE - PLACES)
    assert {knock()} == {429}


def test_a_place_in_redis_goes_by_itself(redis, settings):
    settings.THROTTLE_UPLOADS = (1, 60)
    knock()
    key = caches["default"].make_key("throttle:uploads:address:127.0.0.1:0")
    assert 0 < redis.ttl(key) <= 60
