"""What a command says where it does not come to its database: one sentence with what to do, in place of a stack.

Only of faults in connecting, which quote no row. Which kind of fault it is PostgreSQL's client tells by words alone:
https://www.postgresql.org/docs/current/libpq-status.html#LIBPQ-PQERRORMESSAGE
"""

from collections.abc import Iterator
from traceback import walk_tb

from django.db import Error
from django.db.backends.base.base import BaseDatabaseWrapper

from voicechat.database_errors import FULL, NO_ROOM, NOT_MIGRATED, READ_ONLY, unavailable

SILENT = (
    "PostgreSQL does not answer at {at}: start it, or correct DATABASE_URL, or leave that unset for an SQLite file."
)
NO_DATABASE = "PostgreSQL at {at} has no database {name}: make it by `createdb --encoding=UTF8 {name}`."
NOT_LET_IN = "PostgreSQL at {at} does not let {user} in: correct the user and the password in DATABASE_URL."
NOT_OPENED = (
    "The SQLite file {name} cannot be opened and written: its folder must be there, and both must be yours to write; "
    "or name another one by DATABASE_URL=sqlite:////folder/name.sqlite3."
)
NO_SQLITE = "{name} is no SQLite file: move it away, or name another one by DATABASE_URL."
BY_WORDS = {
    "password authentication failed": NOT_LET_IN,
    "no password supplied": NOT_LET_IN,
    "pg_hba.conf": NOT_LET_IN,
    'FATAL:  role "': NOT_LET_IN,
    'FATAL:  database "': NO_DATABASE,
    "file is not a database": NO_SQLITE,
}


def sentence(error: BaseException) -> str | None:
    """None where it is another fault."""
    if not isinstance(error, Error):
        return None
    known = unavailable(error)
    met = next(connecting(error), None)
    if met is None or known is FULL:
        return known.detail if known in (FULL, READ_ONLY, NO_ROOM, NOT_MIGRATED) else None
    otherwise = SILENT if met.vendor == "postgresql" else NOT_OPENED
    words = next((words for what, words in BY_WORDS.items() if what in str(error)), otherwise)
    set_to = {name: str(value) for name, value in met.settings_dict.items()}
    return words.format(
        at=f"{set_to['HOST'] or 'its socket'}:{set_to['PORT'] or 5432}",
        name=set_to["NAME"],
        user=set_to["USER"] or "you",
    )


def connecting(error: Error) -> Iterator[BaseDatabaseWrapper]:
    """The connection that was just being made, if one was."""
    for frame, _ in walk_tb(error.__traceback__):
        maker = frame.f_locals.get("self")
        if frame.f_code.co_name == "get_new_connection" and isinstance(maker, BaseDatabaseWrapper):
            yield maker
