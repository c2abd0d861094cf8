"""Takes over what the first back end kept: in place, where DATABASE_URL points, or into another database."""

from collections.abc import Callable
from contextlib import closing
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, connections, transaction

from core.failpoints import failpoint
from voicechat.adoption import tables
from voicechat.adoption.places import SOURCE, folded, refuse_what_is_full, write_into
from voicechat.adoption.progress import ALL, BEGUN, TABLE, reached
from voicechat.adoption.run import Adoption
from voicechat.adoption.source import PREFIX, Source, is_first_back_end
from voicechat.connections import wrong_encoding
from voicechat.management.commands.migrate import lock_of

AT_ONCE = 10_000
BUSY = "Another `adopt_database` or `migrate` is at work on this database: wait until it is over."
NOT_ONE = (
    "DATABASE_URL names no database of the first back end: there is no table knex_migrations beside its users and "
    "groups. Nothing was changed."
)
DONE = "This database is taken over."
DROP = "The old tables are still there: `python manage.py adopt_database --drop-old-tables` drops them, for good."
NOT_DONE = "Nothing is taken over yet, and the old tables stay."


class Command(BaseCommand):
    help = (
        "Takes over the database of the first back end (Node, knex): in place, where DATABASE_URL points, or --into "
        "another one. Started again it goes on where it stopped. Exits with 1 where the counts do not agree."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what was found and would be done")
        parser.add_argument("--into", default="", metavar="URL", help="leave the old database as it is, and copy there")
        parser.add_argument("--at-once", type=int, default=AT_ONCE, help="rows in a transaction (%(default)s)")
        parser.add_argument("--drop-old-tables", action="store_true", help="afterwards: drop what was set aside")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["into"]:
            write_into(options["into"])
        self.alias = SOURCE if options["into"] else "default"
        self.at_once = max(options["at_once"], 1)
        if options["dry_run"]:
            self.rehearse()
            return
        with lock_of(connection) as is_free:
            if not is_free():
                raise CommandError(BUSY)
            if said := wrong_encoding(connection):
                raise CommandError(said)
            if options["drop_old_tables"]:
                self.drop()
            else:
                self.adopt(is_free)

    def say(self, words: str) -> None:
        self.stdout.write(words)
        self.stdout.flush()

    def source(self) -> Source:
        """Under their own names, or under those that a take-over in place has given them."""
        source = Source(connections[self.alias])
        if self.alias == "default" and TABLE in source.tables():
            source.close()
            return Source(connections[self.alias], PREFIX)
        return source

    def rehearse(self) -> None:
        with closing(self.source()) as source:
            self.refuse_others(source)
            Adoption(source, self.say, self.at_once, folded).rehearse()
        self.say("\nNothing was changed. Without --dry-run it is done.")

    def adopt(self, keep_lock: Callable[[], object]) -> None:
        if (everything := reached(ALL)) and everything.done:
            self.say(DONE)
            return
        if reached(BEGUN) is None:
            self.begin()
        else:
            self.say("Going on where it stopped.")
        with closing(self.source()) as source:
            Adoption(source, self.say, self.at_once, folded, keep_lock).copy()
        self.say(DONE if self.alias == SOURCE else f"{DONE} {DROP}")

    def begin(self) -> None:
        with closing(self.source()) as source:
            self.refuse_others(source)
            if self.alias == SOURCE:
                refuse_what_is_full()
                with transaction.atomic():
                    tables.begin({"prefix": "", "highest": tables.highest_ids(source)})
            else:
                tables.make_room(source)
        failpoint("adoption_begun")

    def refuse_others(self, source: Source) -> None:
        if not source.prefix and not is_first_back_end(source.tables(), list(source.columns.get("users", ()))):
            raise CommandError(NOT_ONE)

    def drop(self) -> None:
        everything = reached(ALL)
        if everything is None or not everything.done:
            raise CommandError(NOT_DONE)
        dropped = tables.drop_old()
        self.say(f"Dropped {', '.join(dropped)}." if dropped else "There are none any more.")
