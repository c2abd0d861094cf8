"""ETags, and writes that are done only if nothing has changed since. https://www.rfc-editor.org/rfc/rfc9110#section-13

`@conditional` stands on every action that answers a PUT or a DELETE.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from hashlib import blake2b
from typing import Any, Protocol, TypeVar, cast

from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import QuerySet
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from core.transactions import MOST_TRIES, has_met

TAG = re.compile(r'\s*(W/)?"([^"]*?)(?:--?(?:gzip|br|zstd|deflate))?"\s*')
"""A tag in a list of them. A proxy that compresses marks it as weak or puts its method into it."""

CHANGED = (
    "Nothing was done: what stands here now is not what If-Match names. Read it again; "
    "its ETag is in the header of this answer."
)
UNREADABLE = "Nothing was done: this address cannot be read, so that it has no ETag which If-Match could name."
THERE = "Nothing was done: what stands here now is what If-None-Match rules out."


class PreconditionFailed(APIException):
    """What a write was to depend on does not hold; `etag` is that of what stands there now."""

    status_code = 412
    default_code = "precondition_failed"

    def __init__(self, detail: str, etag: str | None) -> None:
        super().__init__(detail)
        self.etag = etag


def entity_tag(content: bytes, link: str) -> str:
    """Over an answer's body and its Link: a new page behind a full one changes the Link alone."""
    return f'"{blake2b(content + link.encode(), digest_size=16).hexdigest()}"'


def is_named(etag: str | None, header: str, *, strongly: bool = False) -> bool:
    """Whether If-Match (`strongly`: by the strong comparison) or If-None-Match names what has this ETag, if anything.

    https://www.rfc-editor.org/rfc/rfc9110#section-8.8.3.2
    """
    if etag is None:
        return False
    if header == etag or header.strip() == "*":
        return True
    found = (TAG.fullmatch(each) for each in header.split(","))
    return any(each[2] == etag.strip('"') and not (strongly and each[1]) for each in found if each)


class View(Protocol):
    action_map: dict[str, str]


in_one_state: ContextVar[bool] = ContextVar("in_one_state", default=False)
"""Whether the transaction sees what it saw first, and nothing that others commit meanwhile."""

Rows = TypeVar("Rows", bound=QuerySet[Any, Any])
Action = TypeVar("Action", bound=Callable[..., Response])


def conditional(action: Action) -> Action:
    """A write that heeds If-Match and If-None-Match, compared with what GET answers the caller at the same address.

    The comparison and the write see one state of the database: of two writes that name the same one succeeds, and the
    other finds it changed. Raises PreconditionFailed.
    """

    @wraps(action)
    def guarded(view: View, request: Request, **kwargs: Any) -> Response:
        if "If-Match" not in request.headers and "If-None-Match" not in request.headers:
            return action(view, request, **kwargs)
        if "get" not in view.action_map:  # nothing to read, and so nothing that could change until it is written
            check(None, request)
            return action(view, request, **kwargs)
        for tries_left in reversed(range(MOST_TRIES)):
            try:
                with one_state():
                    check(current_tag(view, request, kwargs), request)
                    return action(view, request, **kwargs)
            except (IntegrityError, OperationalError) as error:
                if not tries_left or not has_met(error):
                    raise
        raise AssertionError("the last try returns or raises")

    return cast("Action", guarded)


@contextmanager
def one_state() -> Iterator[None]:
    """A transaction in which nobody else's commits are seen, nor overwritten: PostgreSQL refuses to (`has_met`).

    That needs no lock which would have to stand in the order of locks. SQLite has one writer at a time anyway.
    """
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        if is_outermost and connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            token = in_one_state.set(True)
            try:
                yield
            finally:
                in_one_state.reset(token)
        else:
            yield


def as_they_are_now(rows: Rows) -> Rows:
    """The rows as they are at this moment, for a decision that must not rest on what has ended meanwhile.

    A transaction that sees one state would find them as they were: there they are locked, so that PostgreSQL refuses
    the transaction where somebody has changed one, and `conditional` tries once more.
    """
    return rows.select_for_update(no_key=True) if in_one_state.get() else rows


def current_tag(view: View, request: Request, kwargs: dict[str, Any]) -> str:
    """The ETag of what GET answers at this address."""
    answer: Response = getattr(view, view.action_map["get"])(request, **kwargs)
    content = cast("bytes", request.accepted_renderer.render(answer.data))
    return entity_tag(content, answer.get("Link", ""))


def check(etag: str | None, request: Request) -> None:
    """Raises PreconditionFailed where the request's headers rule out what has this ETag (None: there is nothing)."""
    wanted, unwanted = request.headers.get("If-Match"), request.headers.get("If-None-Match")
    if wanted is not None and not is_named(etag, wanted, strongly=True):
        raise PreconditionFailed(CHANGED if etag else UNREADABLE, etag)
    if unwanted is not None and is_named(etag, unwanted):
        raise PreconditionFailed(THERE, etag)
