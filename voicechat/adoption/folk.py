"""Who is who: people whose e-mails are one become one, and the lowest id stays."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from core.email_addresses import email_key
from voicechat.adoption.source import Row, Source
from voicechat.adoption.values import text

LONGEST = 128

Fold = Callable[[str], str]
"""As the new database folds case, for its own unique index."""


@dataclass
class Folk:
    """`stays` knows each old id, and whose it is now; `others` has the rows that became somebody else's."""

    stays: dict[int, int] = field(default_factory=dict)
    others: dict[int, list[Row]] = field(default_factory=dict)
    customers: dict[str, int] = field(default_factory=dict)
    """Stripe's ids, and the person who keeps each: the lowest of those who have it."""

    def of(self, old_id: object) -> int | None:
        return self.stays.get(old_id) if isinstance(old_id, int) else None


def email_of(row: Row) -> str:
    """Empty where it cannot be one: none, or so long that a cut one would be somebody else's."""
    email = (text(row.get("email")) or "").strip()
    return email if len(email) <= LONGEST else ""


def who_is_who(source: Source, fold: Fold) -> Folk:
    folk, owners, groups = Folk(), dict[str, int](), dict[int, int]()
    for row in everybody(source):
        person = row["id"]
        keys = keys_of(email_of(row), fold)
        known = {root(groups, owners[key]) for key in keys if key in owners}
        first = min(known, default=person)
        groups |= dict.fromkeys({*known, person} - {first}, first)
        owners |= dict.fromkeys(keys, first)
        folk.stays[person] = person
    for person in groups:
        folk.stays[person] = root(groups, person)
    collect(folk, source, set(groups))
    return folk


def everybody(source: Source) -> Iterator[Row]:
    for _, rows in source.by_id("users"):
        yield from rows


def keys_of(email: str, fold: Fold) -> set[str]:
    return {f"key {email_key(email)}", f"fold {fold(email)}"} if email else set()


def root(groups: dict[int, int], person: int) -> int:
    while person in groups:
        person = groups[person]
    return person


def collect(folk: Folk, source: Source, merged: set[int]) -> None:
    """The rows of those who are somebody else now, and whose each Stripe customer is."""
    for row in everybody(source):
        stays = folk.stays[row["id"]]
        if row["id"] in merged:
            folk.others.setdefault(stays, []).append(row)
        if customer := text(row.get("stripeId")):
            folk.customers[customer] = min(stays, folk.customers.get(customer, stays))


def rows_of(folk: Folk, rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Of each who stays their own row, and then those that became theirs."""
    for row in rows:
        if folk.stays[row["id"]] == row["id"]:
            yield [row, *folk.others.get(row["id"], [])]
