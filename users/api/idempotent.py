"""POSTs that may be sent again. `@idempotent` stands on every action that answers a POST which makes something.

tests/wire/test_idempotency.py lists those that need none.
"""

import hashlib
import json
import re
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any, Protocol, TypeVar, cast

from django.core.files.uploadedfile import UploadedFile
from django.db import DatabaseError
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from core.failpoints import failpoint
from core.transactions import atomic_and_retried
from users.callers import caller_of
from users.idempotency import Reservation, free, is_kept, keep, reserve
from users.limits import keyed, of_caller

KEY = "[!-~]{1,255}"


def key_parameter(description: str) -> OpenApiParameter:
    return OpenApiParameter(
        "Idempotency-Key", str, OpenApiParameter.HEADER, pattern=f"^{KEY}$", description=description
    )


IDEMPOTENCY_KEY = key_parameter(
    "For a day the same key and body are answered as the first was, and make nothing more; with another body: 422."
)


class View(Protocol):
    made: Any
    """What an action has made, for `answer_again`: an id, or little more. JSON can hold it."""
    owner_id: int | None
    """With whom the kept answer goes, where that is not the caller."""

    def answer_again(self, request: Request, made: Any, status: int, **kwargs: Any) -> Response: ...


class AnswersAgain:
    # A view set with actions that are idempotent. A docstring would be each view's, in the document.

    made: Any = None
    owner_id: int | None = None


Action = TypeVar("Action", bound=Callable[..., Response])


def idempotent(*, asks_vendor: bool = False) -> Callable[[Action], Action]:
    """An action that heeds Idempotency-Key: by caller and address, for a day. Refusals are not kept.

    What it does and that it is kept are one transaction, unless it asks a vendor, which nobody does inside of one: its
    work must do no harm when it is done twice, for a crash may come in between. Raises KeyReused, RequestInProgress.
    """

    def decorate(action: Action) -> Action:
        @wraps(action)
        def guarded(view: View, request: Request, **kwargs: Any) -> Response:
            key = idempotency_key(request)
            if key is None:
                return action(view, request, **kwargs)
            body, caller_id = keyed("body", in_text(request.data)), caller_of(request).pk
            reserved = reserve(name_of(request, key), body=body, user_id=caller_id, now=timezone.now())
            if not isinstance(reserved, Reservation):
                return view.answer_again(request, reserved.made, reserved.status or 200, **kwargs)

            def work() -> Response:
                failpoint("after_reservation")
                response = action(view, request, **kwargs)
                owner_id = view.owner_id or caller_id
                keep(reserved, status=response.status_code, made=view.made, user_id=owner_id, now=timezone.now())
                return response

            try:
                return work() if asks_vendor else atomic_and_retried(work)()
            except BaseException:
                with suppress(DatabaseError):  # it ends by itself
                    free(reserved)
                raise

        guarded.is_idempotent = True  # type: ignore[attr-defined]  # for the document, and the test of all routes
        return cast("Action", guarded)

    return decorate


def idempotency_key(request: Request) -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not re.fullmatch(KEY, key):
        raise ValidationError({"Idempotency-Key": "Use 1 to 255 visible ASCII characters."})
    return key


def name_of(request: Request, key: str) -> str:
    """What is kept of a key, by caller and address: a final slash makes no other one."""
    return keyed("idempotency", of_caller(request), request.path_info.rstrip("/"), key)


def vendors_key(request: Request) -> str:
    """For a vendor that heeds keys too: this request's, or "" where it has none. Of this body: after a refusal another
    one may come under its key, which a vendor would refuse."""
    key = idempotency_key(request)
    return "" if key is None else keyed("vendor", name_of(request, key), in_text(request.data))


def is_answered(request: Request) -> bool:
    """Whether this request was done before."""
    key = idempotency_key(request)
    return key is not None and is_kept(name_of(request, key), now=timezone.now())


def in_text(body: Any) -> str:
    """A body as it is compared: multipart has other boundaries each time, and JSON may have another order."""
    return json.dumps(plain(body), sort_keys=True, default=str)


def plain(value: Any) -> Any:
    if isinstance(value, UploadedFile):
        content = hashlib.sha256()
        for chunk in value.chunks():
            content.update(chunk)
        value.seek(0)
        return {"sha256": content.hexdigest()}
    if isinstance(value, MultiValueDict):
        return {name: [plain(each) for each in value.getlist(name)] for name in value}
    return value
