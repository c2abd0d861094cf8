"""Why an operator does something to somebody: asked before it is done, and written into the history with it."""

from django.http import HttpRequest, HttpResponse

from core.wire import is_visible
from users.operators.asking import ask_for, take

FIELD = "why"
LONGEST = 200
"""As the reason of an adjustment, which stands in a statement."""


def reason_first(request: HttpRequest) -> HttpResponse | None:
    """The answer in whose place something has to wait; None where a reason is given, which is then the request's.

    The page that asks carries all that was sent along. A page that has a field of this name asks by itself.
    """
    given = request.POST.get(FIELD)
    if given is None or not is_visible(given) or len(given) > LONGEST:
        is_wrong = given is not None
        return ask_for(FIELD, request, "admin/reason.html", title="Why?", longest=LONGEST, is_wrong=is_wrong)
    take(FIELD, request)
    request.reason = given.strip()  # type: ignore[attr-defined]
    return None


def reason_of(request: HttpRequest) -> str:
    """Empty where none was asked for."""
    reason: str = getattr(request, "reason", "")
    return reason
