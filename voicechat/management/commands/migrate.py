"""Django's `migrate`, of which one runs at a time, and which says in a sentence what the database lacks.

Two releases at once, or two instances that migrate as they start, would make each table twice.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

from django.core.management import CommandError
from django.core.management.commands import migrate
from django.db import DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.exceptions import MigrationSchemaMissing

from users.models import User, VerifiedNumber
from voicechat.adoption.guard import why_not

KEY = 8_241_530_977
"""Of the advisory lock, which is the database's own: any number that nobody else takes."""
WAIT = 0.5
INSUFFICIENT_PRIVILEGE = "42501"
NO_SCHEMA = "3F000"
UNVERIFIED = (
    "People with a phone number that nobody has verified: {}. A caller from a telephone is known by a verified number "
    "alone, so that these are known no more when they call, until they verify theirs in the app."
)


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        connection = connections[options["database"]]
        with one_at_a_time(connection, lambda: self.stderr.write("Another `migrate` is at work: waiting for it.")):
            if said := why_not(connection):
                raise CommandError(said)
            try:
                super().handle(*args, **options)
                if said := numbers_that_name_nobody(connection):
                    self.stdout.write(said)
            except (DatabaseError, MigrationSchemaMissing) as error:
                if may_not_create(error):
                    raise CommandError(missing_right(connection)) from None
                raise


def numbers_that_name_nobody(connection: BaseDatabaseWrapper) -> str:
    """How many people have a number by which no caller is known, as long as nobody at all has verified theirs: that is
    when an installation comes from before numbers were verified. Afterwards it is as it should be."""
    if VerifiedNumber._meta.db_table not in connection.introspection.table_names():
        return ""
    if VerifiedNumber.objects.using(connection.alias).exists():
        return ""
    count = User.objects.using(connection.alias).exclude(phone_number=None).count()
    return UNVERIFIED.format(count) if count else ""


@contextmanager
def one_at_a_time(connection: BaseDatabaseWrapper, waiting: Any) -> Iterator[None]:
    with lock_of(connection) as is_free:
        if not is_free():
            waiting()
            while not is_free():
                time.sleep(WAIT)
        yield


def lock_of(connection: BaseDatabaseWrapper) -> AbstractContextManager[Any]:
    """Gives what takes it, and says whether it could; it is let go at the end."""
    return (postgresql_lock if connection.vendor == "postgresql" else folder_lock)(connection)


@contextmanager
def postgresql_lock(connection: BaseDatabaseWrapper) -> Iterator[Any]:
    """On a connection of its own, and for one transaction, so that it holds behind a pooler too."""
    own = connection.copy()
    with closing(own):
        own.set_autocommit(False)

        def is_free() -> bool:
            with own.cursor() as cursor:
                cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [KEY])
                got: bool = cursor.fetchone()[0]
            if not got:
                own.rollback()
            return got

        yield is_free
        own.rollback()


@contextmanager
def folder_lock(connection: BaseDatabaseWrapper) -> Iterator[Any]:
    """Of the folder that the SQLite file is in: to open that file beside SQLite would end SQLite's own locks."""
    name = str(connection.settings_dict["NAME"])
    folder = Path(name).parent
    if ":memory:" in name or "mode=memory" in name or not folder.is_dir():
        yield lambda: True
        return
    handle = os.open(folder, os.O_RDONLY)

    def is_free() -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    try:
        yield is_free
    finally:
        os.close(handle)


def may_not_create(error: BaseException | None) -> bool:
    while error is not None:
        if getattr(error, "pgcode", None) in (INSUFFICIENT_PRIVILEGE, NO_SCHEMA):
            return True
        error = error.__cause__ or error.__context__
    return False


def missing_right(connection: BaseDatabaseWrapper) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, current_schema()")
        user, schema = cursor.fetchone()
    return (
        f"The database user {user} may not make or change tables in the schema {schema or 'public'}: as its owner run "
        f'`GRANT USAGE, CREATE ON SCHEMA "{schema or "public"}" TO "{user}"`, or migrate as the tables\' owner.'
    )
