"""Where a take-over reads, and where it writes: one database, or two."""

from typing import Any

from django.core.management import CommandError
from django.db import connection, connections

from voicechat.database_url import SQLITE_OPTIONS, read_database

SOURCE = "source"
HAS_PEOPLE = "The database that --into names holds people already. Name an empty one."
HAS_TABLES = "The database that --into names holds the table users of another program. Name an empty database."


def write_into(url: str) -> None:
    """From now on the default database is the one at this address, and the other one is called `source`.

    So everything else (migrations, triggers, the proof of the ledger) means the new one. Nothing was asked of the
    default one yet.
    """
    found, faults = read_database(url)
    if faults:
        raise CommandError("\n".join(f"--into {fault}" for fault in faults))
    if found["ENGINE"] == "django.db.backends.sqlite3":
        found = {**found, "OPTIONS": SQLITE_OPTIONS}
    old = connections.settings["default"]
    if same(found, old):
        raise CommandError(
            "--into names the database of DATABASE_URL itself: leave --into out, and it is taken in place."
        )
    settings = connections.configure_settings({"default": found})
    connections.settings |= {SOURCE: old, **settings}
    connections["default"].close()
    del connections["default"]


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    names = ("ENGINE", "NAME", "HOST", "PORT")
    return [str(one.get(name) or "") for name in names] == [str(other.get(name) or "") for name in names]


def refuse_what_is_full() -> None:
    """Looks into the database that --into names."""
    if "users" not in connection.introspection.table_names():
        return
    with connection.cursor() as cursor:
        columns = {each.name for each in connection.introspection.get_table_description(cursor, "users")}
        if "emailKey" not in columns:
            raise CommandError(HAS_TABLES)
        cursor.execute("SELECT count(*) FROM (SELECT 1 FROM users LIMIT 1) AS people")
        if cursor.fetchone()[0]:
            raise CommandError(HAS_PEOPLE)


def folded(email: str) -> str:
    """As the new database folds case: SQLite knows ASCII alone, PostgreSQL what its locale does."""
    if email.isascii() or connection.vendor == "sqlite":
        return "".join(letter.lower() if letter.isascii() else letter for letter in email)
    with connection.cursor() as cursor:
        cursor.execute("SELECT lower(%s)", [email])
        found: str = cursor.fetchone()[0]
    return found
