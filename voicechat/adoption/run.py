"""A take-over from its beginning, or from where a kill has left it, to its end."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from django.core.management import CommandError, call_command
from django.core.management.commands import migrate
from django.db import connection, transaction
from django.utils import timezone

from core.failpoints import failpoint
from voicechat.adoption import checking, report, tables
from voicechat.adoption.calls import Calls
from voicechat.adoption.circles import Activities, Groups, Part
from voicechat.adoption.folk import Fold, who_is_who
from voicechat.adoption.people import People
from voicechat.adoption.progress import ALL, FIRST_PLACE, Teller, reached, write_down
from voicechat.adoption.source import LISTS, Row, Source
from voicechat.adoption.steps import Insert, Step, World
from voicechat.adoption.tally import DROPPED, Tally, read_tally
from voicechat.adoption.writing import write

Say = Callable[[str], object]
WRONG = "Not all is as it was. What was copied is kept, and nothing serves it; the old tables are whole."


def all_steps() -> list[Step]:
    parts = zip(LISTS, ("owners", "members", "invitees", "participants"), strict=True)
    return [People(), Groups(), *(Part(table, words) for table, words in parts), Activities(), Calls()]


@dataclass
class Adoption:
    source: Source
    say: Say
    at_once: int
    fold: Fold
    keep_lock: Callable[[], object] = bool
    """Asked with each part: where a database ends what is idle in a transaction, the lock would be gone."""

    def __post_init__(self) -> None:
        self.steps = all_steps()
        self.tallies: dict[str, Tally] = {}

    def world(self) -> World:
        """Read anew by each run: the old rows do not change."""
        self.say("Looking who is who ...")
        folk = who_is_who(self.source, self.fold)
        groups, ownerless = self.source.ids("groups"), self.source.ownerless()
        return World(folk, groups, ownerless, timezone.now(), first_of_sid(self.source))

    def rehearse(self) -> None:
        """All that a take-over would do, but for writing."""
        self.say("\n".join(report.found(self.source)))
        world, teller = self.world(), self.teller()
        for step in self.steps:
            tally = self.tallies[step.table] = Tally()
            for _, rows in step.parts(self.source, FIRST_PLACE, self.at_once):
                list(step.convert(rows, world, tally))
                teller.add(step.table, step.words, len(rows))
            self.note_nowhere(step, tally)
        self.say("\n".join(report.noted(self.tallies.values())))
        self.say("\n".join(report.planned(self.steps, self.tallies)))

    def teller(self) -> Teller:
        return Teller(self.say, {table: self.source.count(table) for table in self.source.columns})

    def note_nowhere(self, step: Step, tally: Tally) -> None:
        """Rows of a list that name no group are in none of its parts."""
        if step.table in LISTS and step.table in self.source.columns:
            where = f"NOT coalesce({self.source.whole('groupId')}, false)"
            count = self.source.ask(f"SELECT count(*) FROM {self.source.named(step.table)} WHERE {where}")[0][0]
            for _ in range(count):
                tally.note(DROPPED, f"{step.words}: rows that name no group", "")
            tally.read += count

    def copy(self) -> None:
        """Migrates, copies, counts. Raises CommandError where something does not agree."""
        self.say("Making the new tables ...")
        call_command(migrate.Command(), verbosity=0, interactive=False)  # ours would wait for the lock that we hold
        tables.stop_counting()
        world, teller = self.world(), self.teller()
        for step in self.steps:
            self.copy_table(step, world, teller)
        begun = reached("begun")
        failpoint("adoption_copied")
        self.say("Counting ...")
        tables.finish(begun.told["highest"] if begun else {})
        self.conclude(world)

    def copy_table(self, step: Step, world: World, teller: Teller) -> None:
        so_far = reached(step.table)
        tally = self.tallies[step.table] = read_tally(so_far.told) if so_far else Tally()
        teller.skip(step.table, tally.read)
        if so_far and so_far.done:
            return
        place = so_far.place if so_far else FIRST_PLACE
        if isinstance(step, Activities):
            step.numbers = numbers_so_far()
        for at, rows in step.parts(self.source, place, self.at_once):
            place = at
            self.copy_part(step, place, rows, world)
            teller.add(step.table, step.words, len(rows))
        self.note_nowhere(step, tally)
        with transaction.atomic():
            write_down(step.table, place=place, done=True, told=tally.written())

    def copy_part(self, step: Step, place: int, rows: list[Row], world: World) -> None:
        """Rows, and how far it is with them, in one transaction."""
        self.keep_lock()
        tally = self.tallies[step.table]
        inserts: list[Insert] = list(step.convert(rows, world, tally))
        with transaction.atomic():
            write(inserts)
            write_down(step.table, place=place, done=False, told=tally.written())
        failpoint("adopted_part")

    def conclude(self, world: World) -> None:
        lines = checking.compared(self.steps, self.source, self.tallies)
        self.say("\n".join(report.noted(self.tallies.values())))
        self.say("\n".join(report.agreed(lines)))
        wrong = [*checking.disagreements(lines), *checking.ledger_faults(world)]
        if wrong:
            raise CommandError("\n".join((WRONG, *wrong)))
        write_down(ALL, done=True)
        self.say("The ledger is sound.")


def numbers_so_far() -> "Counter[int]":
    with connection.cursor() as cursor:
        cursor.execute('SELECT "groupId", max(number) FROM activities GROUP BY "groupId"')
        return Counter(dict(cursor.fetchall()))


def first_of_sid(source: Source) -> dict[str, int]:
    """Of sids that several calls have, the first call."""
    if "sid" not in source.columns.get("callSessions", ()):
        return {}
    calls = source.named("callSessions")
    several = f"SELECT sid, min(id) FROM {calls} WHERE sid IS NOT NULL GROUP BY sid HAVING count(*) > 1"
    return {str(sid): first for sid, first in source.ask(several)}
