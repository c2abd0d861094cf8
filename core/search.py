"""Finding part of a text without case, whether its letters are composed (é) or not (e and an accent)."""

import unicodedata
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import CharField, Func, TextField, Value
from django.db.models.lookups import Contains
from django.db.models.sql.compiler import SQLCompiler


class Folded(Func):
    """A text as it is compared. PostgreSQL folds case by its locale, SQLite by Unicode."""

    function = "FOLDED"
    output_field = CharField()

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template="UPPER(NORMALIZE(%(expressions)s))", **context)


class HasText(Contains):
    """`display_name__has_text="josé"`."""

    def __init__(self, lhs: Any, rhs: Any) -> None:
        super().__init__(Folded(lhs), Folded(Value(rhs, output_field=CharField())))


for kind in (CharField, TextField):
    kind.register_lookup(HasText, "has_text")  # by the class's own name, `contains`, the database finds its LIKE


def folded(text: str | None) -> str | None:
    return None if text is None else unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def teach_sqlite(connection: BaseDatabaseWrapper, **kwargs: object) -> None:
    """Gives each new connection the function, which SQLite does not have."""
    if connection.vendor == "sqlite":
        connection.connection.create_function("FOLDED", 1, folded, deterministic=True)
