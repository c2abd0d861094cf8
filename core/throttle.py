"""How often somebody may do what costs us something. The settings THROTTLE_… say how often.

These are counted in the cache. What protects money or other people is counted in the database, by `users/limits.py`. A
view set names its throttle and the actions that it is for: `throttle_classes = (SignUpThrottle.on("create"),)`.
"""

import logging
import time
from typing import ClassVar, Self, cast

from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from core.addresses import client_address
from core.redis_faults import why

logger = logging.getLogger(__name__)

SKEW = 300
"""Seconds by which the clocks of several machines may differ."""


class TooManyRequests(Throttled):
    default_detail = "That was too often."
    extra_detail_singular = "Try again in {wait} second."
    extra_detail_plural = "Try again in {wait} seconds."


class Throttle(BaseThrottle):
    """Counts a person by their id, and whoever is not known by their address.

    What is refused is not counted. Where the cache does not answer, nothing is refused.
    """

    scope: ClassVar[str]
    actions: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def on(cls, *actions: str) -> type[Self]:
        """This throttle for these actions alone: other actions, OPTIONS and wrong methods are not counted."""
        return cast("type[Self]", type(cls.__name__, (cls,), {"actions": frozenset(actions)}))

    def covers(self, view: APIView) -> bool:
        return getattr(view, "action", None) in self.actions

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Raises TooManyRequests where the answer is no."""
        rate: tuple[int, int] | None = getattr(settings, f"THROTTLE_{self.scope.upper()}")
        if rate is None or not self.covers(view) or (key := self.get_cache_key(request)) is None:
            return True
        wait = self.take(key, *rate)
        if wait is not None:
            raise TooManyRequests(wait)
        return True

    def take(self, key: str, places: int, seconds: int) -> float | None:
        """Takes a place: None, or how many seconds to wait for one."""
        try:
            return take_place(key, places, seconds)
        except RedisError as error:  # its message may name hosts
            logger.warning("Redis fails (%s): a request to %s is not counted.", why(error), self.scope)
            return None

    def get_cache_key(self, request: Request) -> str | None:
        """Whose requests are counted together; None for one that is not counted."""
        return f"throttle:{self.scope}:{self.get_ident(request)}"

    def get_ident(self, request: Request) -> str:
        person_id = getattr(request.user, "pk", None)
        return f"address:{client_address(request._request)}" if person_id is None else f"person:{person_id}"


def take_place(key: str, places: int, seconds: int) -> float | None:
    """Takes one of the places under this key for so many seconds: None, or, where all are taken, how long to wait.

    In any stretch of that length no more are taken than there are, however many ask at the same moment: each place is
    one key that the cache adds once, and that goes when its time is over.
    """
    now = time.time()
    names = [f"{key}:{place}" for place in range(places)]
    taken = cache.get_many(names)
    if ahead := [name for name, until in taken.items() if until / 1000 - now > seconds + SKEW]:
        cache.delete_many(ahead)  # the clock was set back: nobody waits for it to come up to them
        taken = {name: until for name, until in taken.items() if name not in ahead}
    until = int((now + seconds) * 1000)  # whole milliseconds: Django writes an int to Redis as it is, without pickle
    for name in names:
        if name not in taken and cache.add(name, until, timeout=seconds):
            return None
    return min(float(seconds), float(min(taken.values(), default=until) / 1000 - now))
