"""How operators find rows among millions: what a word may mean is looked up first, by columns with an index."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.text import smart_split, unescape_string_literal

from core.phone_numbers import WRITTEN
from core.wire import number_in
from users.models import User, VerifiedNumber

FEWEST_DIGITS = 5
"""Of a telephone's number, for a search: fewer are an id, or anybody's."""
MOST = 1000
"""So many people's, accounts' or groups' rows does a search show."""
NEWEST = 100_000
"""So many rows of a list are searched for a part of their text."""


def words_of(search: str) -> Iterator[str]:
    """What a search asks for: words, or more than one where quotes stand around them."""
    for word in smart_split(search):
        is_quoted = len(word) > 1 and word[0] in "\"'" and word[0] == word[-1]
        yield unescape_string_literal(word) if is_quoted else word


class SearchedByWord(admin.ModelAdmin[Any]):
    """A list of many rows: what a word may mean in it is looked up first, so that indexes find the rows. A join to
    each row's person or group, or a look at each row's text, takes seconds in a million rows.
    """

    def found(self, text: str) -> Q:
        raise NotImplementedError

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        for text in words_of(search_term):
            queryset = queryset.filter(self.found(text))
        return queryset, False


def among_newest(rows: QuerySet[Any], column: str, found: Q) -> Q:
    """The same of the newest rows alone, by a column that grows and has an index."""
    oldest = list(rows.order_by(f"-{column}").values_list(column, flat=True)[NEWEST - 1 : NEWEST])
    return found & Q(**{f"{column}__gte": oldest[0]}) if oldest else found


def people_called(text: str) -> QuerySet[User]:
    return User.objects.filter(Q(email__icontains=text) | Q(display_name__has_text=text) | by_number(text))


def by_number(text: str) -> Q:
    """People whose telephone's number ends so, however it is written: +1 202 555 0123, (202) 555-0123, 030 1234567."""
    if not WRITTEN.fullmatch(text):
        return Q(pk__in=())
    digits = "".join(filter(str.isdecimal, text)).lstrip("0")
    if len(digits) < FEWEST_DIGITS:
        return Q(pk__in=())
    verified = VerifiedNumber.objects.filter(number__endswith=digits).values("user")
    return Q(phone_number__endswith=digits) | Q(pk__in=verified)


def said(columns: Iterable[str], text: str) -> Q:
    """Rows of which one of these columns begins with the text, or (`…__exact`) is this number.

    Of the row's own columns: with a join among them no index would find anything in a million rows.
    """
    found = Q(pk__in=())
    for column in columns:
        name, _, lookup = column.partition("__")
        if lookup != "exact":
            found |= Q(**{f"{name}__startswith": text})
        elif (number := number_in(text)) is not None:
            found |= Q(**{name: number})
    return found


def person_name(column: str) -> Subquery:
    """The display name that belongs to a plain id, null where nobody has it."""
    return person_column(column, "display_name")


def person_email(column: str) -> Subquery:
    return person_column(column, "email")


def person_column(column: str, name: str) -> Subquery:
    return Subquery(User.objects.filter(pk=OuterRef(column)).values(name)[:1])
