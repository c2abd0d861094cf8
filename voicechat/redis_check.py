"""Whether Redis answers. The server is ready without it, and counts no access tokens and uploads meanwhile: whoever
watches it must be told, or nobody notices.
"""

import logging
from threading import Lock
from time import monotonic

from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError

from core.redis_faults import why

logger = logging.getLogger(__name__)

EVERY = 5.0
"""Seconds. In between the last answer counts: whoever asks often waits no more often for a host that is silent."""


def why_not_reached() -> str:
    """In words, such as "ConnectionError: Connection refused"; nothing where it answers, as a cache in memory does."""
    try:
        cache.get("asked")
    except RedisError as error:
        return why(error)
    return ""


class RedisCheck:
    def __init__(self) -> None:
        self._lock = Lock()
        self._asked_at = float("-inf")
        self._fault = ""

    def state(self) -> str:
        """`ok`, `unreachable`, or `off` without a REDIS_URL."""
        if "redis" not in settings.CACHES["default"]["BACKEND"]:
            return "off"
        if monotonic() - self._asked_at >= EVERY and self._lock.acquire(blocking=False):
            try:
                self.note(why_not_reached())
                self._asked_at = monotonic()
            finally:
                self._lock.release()
        return "unreachable" if self._fault else "ok"

    def note(self, fault: str) -> None:
        """Logs when it begins to fail, and when it is there again."""
        if fault and not self._fault:
            logger.warning("Redis fails (%s): access tokens and uploads are not counted until it answers.", fault)
        if self._fault and not fault:
            logger.warning("Redis answers again: access tokens and uploads are counted.")
        self._fault = fault


redis_check = RedisCheck()
