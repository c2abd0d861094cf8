"""What names a person, and how it is taken out of what outlives them.

Rows of their own go with them. This is for texts of others, and for what must stay under an id.
"""

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet

from core.phone_numbers import forms_of
from users.models import User, VerifiedNumber

DELETED = "deleted person"
AT_ONCE = 500
"""Conditions in one row of ORs. SQLite takes no expression that is 1,000 deep, and each OR is one deeper.
https://www.sqlite.org/limits.html#max_expr_depth"""


def goers(person: User, origin: User | QuerySet[User]) -> set[int]:
    """Who is deleted together, as the signals of a deletion tell it: of a queryset (`origin`) all that it holds."""
    together = origin.order_by().values_list("pk", flat=True) if isinstance(origin, QuerySet) else ()
    return {*together, person.pk}


def marks_of(person: User) -> list[str]:
    """What is nobody else's: the email, and the phones' numbers as they are written with and without their plus."""
    said = {f"+{person.phone_number}"} if person.phone_number else set()
    numbers = said.union(VerifiedNumber.objects.filter(user=person).values_list("number", flat=True))
    return [person.email, *sorted(form for number in numbers for form in forms_of(number))]


def numbers_of(person_ids: Iterable[int]) -> set[str]:
    """What these people say that their number is, and what they have verified, with the plus."""
    said = User.objects.filter(pk__in=person_ids).exclude(phone_number=None).values_list("phone_number", flat=True)
    verified = VerifiedNumber.objects.filter(user__in=person_ids).values_list("number", flat=True)
    return {*(f"+{number}" for number in said), *verified}


def names_of(person: User, going: set[int]) -> list[str]:
    """These, and the names. A name that somebody else bears too names nobody."""
    first, last = person.first_name or "", person.last_name or ""
    both = [f"{first} {last}", f"{last}, {first}"] if first and last else []
    alone = {person.display_name, first, last}
    others = User.objects.exclude(pk__in=going)
    bearers = others.filter(Q(display_name__in=alone) | Q(first_name__in=alone) | Q(last_name__in=alone))
    shared = {name for row in bearers.values_list("display_name", "first_name", "last_name") for name in row}
    return [*marks_of(person), *both, *sorted(alone - shared)]


def without(words: Iterable[str]) -> Callable[[str], str]:
    """What puts "deleted person" in the place of each of these words where it stands alone, the longest first.

    Emails are found in any case; names are not, for "will" is no Will.
    """
    found = sorted({word for word in words if word.strip()}, key=len, reverse=True)
    alone = (rf"(?<!\w)(?{'i' if '@' in word else ''}:{re.escape(word)})(?!\w)" for word in found)
    pattern = re.compile("|".join(alone))
    return lambda text: pattern.sub(DELETED, text) if found else text


def saying(column: str, words: Iterable[str]) -> Q:
    """Rows whose column may say one of these: as it is written, or as JSON writes it."""
    return any_of([Q(**{f"{column}__icontains": form}) for word in words for form in forms(word)])


def any_of(conditions: list[Q]) -> Q:
    """One of these, of which there may be thousands: many people may go together."""
    rows = (Q(*conditions[start : start + AT_ONCE], _connector=Q.OR) for start in range(0, len(conditions), AT_ONCE))
    # An expression each: of a Q within a Q, Django would make one row again.
    return Q(*(ExpressionWrapper(row, BooleanField()) for row in rows), _connector=Q.OR)


def forms(word: str) -> set[str]:
    return {word, json.dumps(word)[1:-1]} if word.strip() else set()


def redact(rows: QuerySet[Any], column: str, words: list[str]) -> None:
    """Takes these words out of a text column of rows that stay."""
    nameless, longest = without(words), rows.model._meta.get_field(column).max_length
    for row in rows.filter(saying(column, words)).only(column).order_by("pk"):
        said = getattr(row, column)
        if (text := nameless(said)) != said:
            rows.model._base_manager.filter(pk=row.pk).update(**{column: text[:longest]})
