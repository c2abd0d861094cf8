"""How often somebody may do what costs money or reaches other people: counted in the database."""

from rest_framework.request import Request

from core.throttle import Throttle
from users.limits import Full, of_caller, take_place


class CountedThrottle(Throttle):
    """Counts a person by their sign-in, and in open mode by the address: `users/limits.py`."""

    def get_cache_key(self, request: Request) -> str | None:
        return of_caller(request)

    def take(self, key: str, places: int, seconds: int) -> float | None:
        answer = take_place(self.scope, key, places, seconds)
        return answer.wait if isinstance(answer, Full) else None


class SignUpThrottle(CountedThrottle):
    scope = "sign_up"
