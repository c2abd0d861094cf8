"""How often somebody may sign up."""

from core.throttle import Throttle


class SignUpThrottle(Throttle):
    scope = "sign_up"
