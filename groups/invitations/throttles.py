"""How often somebody may try tokens: none can be guessed, and each try is a query."""

from core.throttle import Throttle


class TokenThrottle(Throttle):
    scope = "invitation_tokens"
