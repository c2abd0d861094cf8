"""Times on the operators' pages are in the zone of who reads them, which their browser tells by a cookie.

Without one, or with a zone that is none, they are in UTC. Each time names its zone.
"""

from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from django.http import HttpRequest
from django.utils import timezone

COOKIE = "time_zone"


@cache
def known_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def follow(request: HttpRequest) -> None:
    """For the rest of this request, which is rendered after its view has returned."""
    name = request.COOKIES.get(COOKIE, "")
    if name in known_zones():
        timezone.activate(ZoneInfo(name))
