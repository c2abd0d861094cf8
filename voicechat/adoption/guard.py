"""A sentence about a database that can be neither migrated nor served as it is."""

from django.db.backends.base.base import BaseDatabaseWrapper

from voicechat.adoption.progress import UNFINISHED, is_unfinished
from voicechat.adoption.source import KNEX, is_first_back_end
from voicechat.connections import wrong_encoding

FIRST_BACK_END = (
    "This database was made by the first back end: stop that server, and take its people and groups over by "
    "`python manage.py adopt_database` (with --dry-run it only says what it would do)."
)


def why_not(connection: BaseDatabaseWrapper) -> str | None:
    """Connects."""
    return wrong_encoding(connection) or of_first_back_end(connection)


def of_first_back_end(connection: BaseDatabaseWrapper) -> str | None:
    tables = set(connection.introspection.table_names())
    if is_unfinished(connection, tables):
        return UNFINISHED
    if KNEX[0] not in tables or "users" not in tables:
        return None
    with connection.cursor() as cursor:
        columns = [each.name for each in connection.introspection.get_table_description(cursor, "users")]
    return FIRST_BACK_END if is_first_back_end(tables, columns) else None
