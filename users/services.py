"""Signing people up, and deleting."""

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib.admin.models import LogEntry
from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from rest_framework.exceptions import APIException

from core.transactions import MOST_TRIES, has_met, was_broken_off
from users.models import User
from users.signals import signed_up


class HasHistory(APIException):
    """Who did what in the admin stays known, and Django's history goes with its account."""

    status_code = 409
    default_code = "has_history"
    default_detail = (
        "Things were done in the admin by this account, and who did what must stay known. Take away its “active” "
        "instead of deleting it."
    )


def with_history(person_ids: Iterable[int]) -> set[int]:
    """Who of these has done anything in the admin."""
    return set(LogEntry.objects.filter(user__in=person_ids).values_list("user", flat=True))


def sign_up(*, email: str, display_name: str, avatar: str | None, **sign_in: str) -> tuple[User, bool]:
    """The person with this email, and whether they are new. Someone known is given back unchanged.

    `sign_in` are the columns that bind a new person to theirs.
    """
    known = User.objects.with_email(email).first()
    if known:
        return known, False
    try:
        with transaction.atomic():
            user = User.objects.create(email=email, display_name=display_name, avatar=avatar, **sign_in)
    except IntegrityError:
        known = User.objects.with_email(email).first()
        if known is None:
            raise
        return known, False  # the same person signed up at the same moment
    signed_up.send(sender=User, user=user)
    user.refresh_from_db()
    return user, True


def delete_row(rows: QuerySet[Any], pk: int, *, check: Callable[[], None] | None = None) -> None:
    """Deletes a row with all that hangs on it, also where something is hung on it at the same moment.

    Django collects what goes along first: what comes later is a foreign key's error at the end, and collected then.
    Of several deletions at once the database lets one find the row: for the others it is 404, and what they had begun
    is undone. What hangs on the row is locked before it, in the order that everybody keeps, by who is told of the end
    (`pre_delete`). `check` asks for permission once more, once all of them are locked.
    """
    for tries_left in reversed(range(MOST_TRIES)):
        try:
            with transaction.atomic():
                row = get_object_or_404(rows, pk=pk)
                row.may_still_go = check
                _, deleted = row.delete()
                if not deleted.get(rows.model._meta.label):
                    raise Http404
            return
        except (IntegrityError, OperationalError) as error:
            is_part = connection.in_atomic_block and was_broken_off(error)
            if is_part or not tries_left or not has_met(error):
                raise


def ask_again_before_it_goes(row: Any) -> None:
    """For who has locked, before a deletion, what goes: asks what `delete_row` was given."""
    if check := getattr(row, "may_still_go", None):
        check()
