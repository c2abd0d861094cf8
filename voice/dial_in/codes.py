"""The codes by which a telephone is let in: eight digits for a person in a group.

A code is drawn by chance, and stands nowhere: it follows from a random seed and SECRET_KEY, so that its person can be
shown it again, and who reads the database cannot. Where SECRET_KEY is exchanged, SECRET_KEY_FALLBACKS keeps the codes
of before; without it each person finds a new one when they look. docs/decisions/dial-in.md
"""

import re
import secrets
from collections.abc import Callable, Iterator
from functools import partial

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.crypto import salted_hmac

from core.transactions import atomic_and_retried
from groups.models import Group
from groups.services import lock_group
from users.models import User
from voice.dial_in_models import DialInCode

DIGITS = 8
MOST_DRAWN = 20
"""Of a hundred million codes even a million in use are met seldom: so often in a row, never."""
EASY = re.compile(r"(\d{1,4})\1+")
"""The same digits again and again, which whoever guesses tries first; and so are those in a row."""
ROWS = ("0123456789", "9876543210")


class NoFreeCodeError(Exception):
    """Each one that was drawn was somebody's."""


def code_in(*, group_id: int, user_id: int) -> str:
    """The person's code for the group, which is made when they first look. Who looks twice at once sees one."""
    own = DialInCode.objects.filter(group=group_id, user=user_id)
    for _ in range(MOST_DRAWN):
        row = own.first()
        if row is None:
            draw(partial(DialInCode.objects.create, group_id=group_id, user_id=user_id))
        elif code := code_of(row):
            return code
        else:  # made under a key that is gone
            draw(own.filter(digest=row.digest).update)
    raise NoFreeCodeError


@atomic_and_retried
def renew_code(*, group_id: int, user_id: int, check: Callable[[], None]) -> str:
    """Another code: the one of before lets nobody in from now on. `check` is called under the group's lock."""
    lock_group(group_id)
    check()
    for _ in range(MOST_DRAWN):
        if code := draw(lambda **new: DialInCode.objects.update_or_create(new, group_id=group_id, user_id=user_id)):
            return code
    raise NoFreeCodeError


def draw(write: Callable[..., object]) -> str | None:
    """Has a new code written; None where it is easy to guess, or somebody has it, or two are written at once."""
    seed = secrets.token_hex(16)
    code = follows(settings.SECRET_KEY, seed)
    if is_easy(code) or having(code).exists():
        return None
    try:
        with transaction.atomic():
            write(seed=seed, digest=digest(settings.SECRET_KEY, code))
    except IntegrityError:
        return None
    return code


def having(code: str) -> QuerySet[DialInCode]:
    return DialInCode.objects.filter(digest__in=[digest(key, code) for key in keys()])


def code_of(row: DialInCode) -> str | None:
    """None where it was made under a key that is no longer known."""
    for key in keys():
        code = follows(key, row.seed)
        if digest(key, code) == row.digest:
            return code
    return None


def whose_code(code: str) -> tuple[User, Group] | None:
    """Who is let in by it, and where: asked anew each time. Only while they have a part in the group."""
    row = having(code).select_related("user", "group").first()
    if row is None or not Group.objects.of_person(row.user_id).filter(pk=row.group_id).exists():
        return None
    return row.user, row.group


def keys() -> Iterator[str]:
    yield settings.SECRET_KEY
    yield from settings.SECRET_KEY_FALLBACKS


def follows(key: str, seed: str) -> str:
    """The code of a seed: all are as likely, to the 57th decimal."""
    number = int(salted_hmac("voice.dial_in.code", seed, secret=key, algorithm="sha256").hexdigest(), 16)
    return f"{number % 10**DIGITS:0{DIGITS}}"


def digest(key: str, code: str) -> str:
    return salted_hmac("voice.dial_in.digest", code, secret=key, algorithm="sha256").hexdigest()


def is_easy(code: str) -> bool:
    return bool(EASY.fullmatch(code)) or any(code in row for row in ROWS)
