"""How often somebody may ask for a token."""

from core.throttle import Throttle


class AccessTokenThrottle(Throttle):
    scope = "access_token"
