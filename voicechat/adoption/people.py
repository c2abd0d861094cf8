"""People, with their money: an account and an opening entry for each old balance, in one transaction with their row."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from billing.models import LedgerEntry
from core.email_addresses import email_key
from core.picture_addresses import is_picture_address
from core.wire import MICROS_PER_DOLLAR, is_visible
from voicechat.adoption.folk import Folk, email_of, rows_of
from voicechat.adoption.source import Row
from voicechat.adoption.steps import Insert, Step, World, flag_of, time_of, words_of
from voicechat.adoption.tally import CHANGED, MERGED, TOLD, Tally
from voicechat.adoption.values import digits, dollars, micros, text

PEOPLE = "people"
MEMO = "Balance at the first server"
NAME, AVATAR, LAST4 = 128, 256, 4
USERS = (
    "id",
    "email",
    "emailKey",
    "displayName",
    "firstName",
    "lastName",
    "avatar",
    "phoneNumber",
    "callStatus",
    "stripeId",
    "billingSubcription",
    "accountBalance",
    "last4",
    "createdAt",
)
ACCOUNTS = ("id", "user_id", "created_at")
ENTRIES = ("account_id", "reference", "kind", "amount_micros", "balance_after_micros", "memo", "created_at")
NOTICES = ("cause", "words", "first_at", "last_at")


class People(Step):
    table, words = "users", PEOPLE

    def convert(self, rows: list[Row], world: World, tally: Tally) -> Iterable[Insert]:
        people: list[tuple[Any, ...]] = []
        accounts, entries, notices = [], [], []
        tally.read += len(rows)
        note_merged(rows, world.folk, tally)
        for own in rows_of(world.folk, rows):
            posted = list(opening(own, world, tally))
            if posted:
                accounts.append((own[0]["id"], own[0]["id"], world.now))
            entries += posted
            customer, last4, lost = card_of(own, world.folk, tally)
            notices += [notice(own[0], each, world) for each in lost]
            balance = posted[-1][4] if posted else None
            people.append(person(own, customer, last4, balance, tally))
        tally.kept += len(people)
        yield Insert("users", USERS, people)
        yield Insert("accounts", ACCOUNTS, accounts)
        yield Insert("ledgerEntries", ENTRIES, entries)
        yield Insert("paymentNotices", NOTICES, notices)


def note_merged(rows: list[Row], folk: Folk, tally: Tally) -> None:
    for row in rows:
        stays = folk.stays[row["id"]]
        if stays != row["id"]:
            words = (
                "people whose e-mail is another's, but for its case (parts, activities and money go to the lowest id)"
            )
            tally.note(MERGED, words, f"{row['id']} into {stays}")


def person(
    own: list[Row], customer: str | None, last4: str | None, balance: int | None, tally: Tally
) -> tuple[Any, ...]:
    row = own[0]
    email = address(row, tally)
    subscription = first(own, "billingSubcription", NAME, tally)
    return (
        row["id"],
        email,
        email_key(email),
        display_name(own, email, tally),
        first(own, "firstName", NAME, tally),
        first(own, "lastName", NAME, tally),
        avatar(own, tally),
        phone(own, tally),
        flag_of(row, "callStatus", tally, PEOPLE, row["id"]),
        customer,
        "free" if subscription is None else subscription,
        balance,
        last4,
        time_of(row, "createdAt", tally, PEOPLE, row["id"]),
    )


def first(own: list[Row], column: str, most: int, tally: Tally) -> str | None:
    """One's own, or else that of who became one: nothing that is known is lost."""
    found = (words_of(row, column, most, tally, PEOPLE) for row in own)
    return next((each for each in found if each is not None), None)


def address(row: Row, tally: Tally) -> str:
    email, written = email_of(row), text(row.get("email")) or ""
    if not email:
        tally.note(CHANGED, "people without an e-mail that can be kept (a placeholder stands there)", row["id"])
        return f"person-{row['id']}@adopted.invalid"  # https://www.rfc-editor.org/rfc/rfc2606
    if email != written:
        tally.note(CHANGED, "people with spaces around their e-mail (taken off)", row["id"])
    name, _, domain = email.rpartition("@")
    if not name or not domain:
        tally.note(TOLD, "people whose e-mail is none (they cannot sign in until an operator corrects it)", row["id"])
    return email


def display_name(own: list[Row], email: str, tally: Tally) -> str:
    for row in own:
        name = words_of(row, "displayName", NAME, tally, PEOPLE)
        if name and is_visible(name):
            return name
    tally.note(CHANGED, "people without a name that shows (their e-mail's first part stands there)", own[0]["id"])
    return email.partition("@")[0]


def avatar(own: list[Row], tally: Tally) -> str | None:
    """Only what a page may show. A longer address is no address any more when it is cut."""
    for row in own:
        found = text(row.get("avatar"))
        if not found:
            continue
        if len(found) <= AVATAR and is_picture_address(found):
            return found
        tally.note(CHANGED, "pictures whose address is too long, or none that a page may open (no picture)", row["id"])
    return None


def phone(own: list[Row], tally: Tally) -> int | None:
    for row in own:
        value = row.get("phoneNumber")
        found = digits(value)
        if found is not None:
            tally.note(TOLD, "phone numbers without a country (as written; nobody is known by them)", row["id"])
            return found
        if value not in (None, "", 0):
            tally.note(CHANGED, "phone numbers that are none (left empty)", row["id"])
    return None


def card_of(own: list[Row], folk: Folk, tally: Tally) -> tuple[str | None, str | None, list[str]]:
    """Stripe's id of the customer with the last digits of its card, which belong together; and customers left over.

    The card itself is Stripe's: as a Source there it goes on being charged.
    """
    stays = own[0]["id"]
    known = [(text(row.get("stripeId")) or None, last_four(row, tally)) for row in own]
    mine = [each for each in known if each[0] and folk.customers[each[0]] == stays]
    best = sorted(mine, key=lambda each: each[1] is None) or sorted(known, key=lambda each: each[1] is None)
    customer, last4 = best[0] if mine else (None, best[0][1])
    if customer is None:
        tally.note(TOLD, "people without a Stripe customer (opened with the first payment)", stays)
    elif last4:
        tally.note(TOLD, "people with a card at Stripe", stays)
    lost = sorted({each for each, _ in known if each and each != customer})
    for each in lost:
        tally.note(CHANGED, "Stripe customers beside the one that a person keeps (see the payment notices)", each)
    return customer, last4, lost


def last_four(row: Row, tally: Tally) -> str | None:
    found = text(row.get("last4"))
    if not found:
        return None
    if len(found) == LAST4 and found.isascii() and found.isdigit():
        return found
    short = f"{found:0>4}" if found.isascii() and found.isdigit() and len(found) < LAST4 else None
    tally.note(CHANGED, "last digits of cards that are not four (filled by zeros, or left empty)", row["id"])
    return short


def notice(row: Row, customer: str, world: World) -> tuple[Any, ...]:
    """For the operators, who alone can put it right at Stripe."""
    words = (
        f"Stripe's customer {customer} was written down for person {row['id']} at the first server, beside another one "
        "or for somebody else too. It is not used any more: look at Stripe whether its cards or payments are needed."
    )
    return (f"adoption:{row['id']}:{customer}", words, world.now, world.now)


def opening(own: list[Row], world: World, tally: Tally) -> Iterator[tuple[Any, ...]]:
    """An entry for each old row with money, also of who became one."""
    balance = 0
    for row in own:
        value = row.get("accountBalance")
        amount = dollars(value)
        if amount is None and value not in (None, ""):
            tally.note(CHANGED, "balances that are no amount (nothing stands there)", row["id"])
        whole = micros(amount or Decimal(0))
        if difference := Decimal(whole) / MICROS_PER_DOLLAR - (amount or 0):
            tally.rounding += difference
            tally.note(CHANGED, "balances rounded to the nearest micro-dollar", row["id"])
        if not whole:
            continue
        balance += whole
        kind = LedgerEntry.Kind.OPENING_BALANCE.value
        yield own[0]["id"], f"opening:{row['id']}", kind, whole, balance, MEMO, world.now
