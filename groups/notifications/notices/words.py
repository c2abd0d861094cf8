"""What people read, all of it: one sentence and one button for each kind of thing. No ids, and no times of day.

Of a group nobody knows a time zone, so that "at ten past three" would be wrong for somebody: a call is told by how long
it lasted.
"""

from calendar import month_name
from collections.abc import Callable
from typing import NamedTuple

from core.wire import MICROS_PER_CENT, dollars
from groups.notifications.models import Notice
from groups.notifications.names import safe_name
from users.models import User

Kind = Notice.Kind

MOST_NAMED = 3


class Words(NamedTuple):
    subject: str
    sentence: str
    button: str


def words_of(notice: Notice) -> Words:
    return WRITERS[Kind(notice.kind)](notice)


def group_of(notice: Notice) -> str:
    return safe_name(notice.group.name, "") if notice.group else ""


def person(user_id: int | None) -> str:
    user = User.objects.filter(pk=user_id or 0).only("display_name").first()
    return safe_name(user.display_name, "Somebody") if user else "Somebody"


def invited(notice: Notice) -> Words:
    inviter, group = person(notice.facts.get("by")), group_of(notice)
    place = f"the group {group}" if group else "a group"
    return Words(
        f"{inviter} invited you to {group or 'a group'}",
        f"{inviter} invited you to talk in {place}.",
        "See the invitation",
    )


def missed(notice: Notice) -> Words:
    group = group_of(notice)
    call = f"a call in {group}" if group else "a group's call"
    lasted, there = lasting(int(notice.facts["seconds"])), who_was_there(notice)
    return Words(f"You missed {call}", f"You missed {call}, which lasted {lasted}. {there}", "Open the group")


def lasting(seconds: int) -> str:
    minutes = round(seconds / 60)
    if minutes < 1:
        return "less than a minute"
    if minutes < 90:
        return "one minute" if minutes == 1 else f"{minutes} minutes"
    return f"about {round(minutes / 60)} hours"


def who_was_there(notice: Notice) -> str:
    """By name, as far as they are still known, and the others counted."""
    ids = list(notice.facts["there"])
    known = User.objects.in_bulk(ids)
    names = [name for pk in ids if pk in known and (name := safe_name(known[pk].display_name, ""))]
    shown = names[:MOST_NAMED] if len(names) <= MOST_NAMED else names[: MOST_NAMED - 1]
    others = len(ids) - len(shown) + int(notice.facts.get("others", 0))
    if others:
        some = "one person" if others == 1 else f"{others} people"
        more = "one more" if others == 1 else f"{others} more"
        shown = [*shown, more] if shown else [some.capitalize()]
    is_one = len(shown) == 1 and others <= 1
    return f"{listed(shown)} {'was' if is_one else 'were'} there."


def listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def low(notice: Notice) -> Words:
    left = notice.user.account_balance_micros or 0
    subject = "Your money for calls is running low"
    if left < MICROS_PER_CENT:
        return Words(subject, "Your money for calls is used up.", "Add money")
    words = f"You have ${dollars(left)} left for calls: that is about ten minutes, or less."
    return Words(subject, words, "Add money")


def added(notice: Notice) -> Words:
    amount = cents(notice)
    return Words(f"{amount} was added", f"{amount} was added to your money for calls.", "See your balance")


def refused(notice: Notice) -> Words:
    words = f"Your card could not be charged {cents(notice)}, and nothing was taken."
    return Words("Your card could not be charged", words, "Try again")


def cents(notice: Notice) -> str:
    return f"${dollars(int(notice.facts['cents']) * MICROS_PER_CENT)}"


def card(notice: Notice) -> Words:
    month, year, last4 = (notice.facts[name] for name in ("month", "year", "last4"))
    expires = f"expires at the end of {month_name[month]} {year}"
    words = f"Your card ending in {last4} {expires}: please enter the new one."
    return Words(f"Your card ending in {last4} expires soon", words, "Enter the new card")


def shared(notice: Notice) -> Words:
    words = f"Somebody else has verified the number ending in {notice.facts['ending']} as theirs."
    return Words("Your telephone number was verified by somebody else", words, "See your account")


WRITERS: dict[Notice.Kind, Callable[[Notice], Words]] = {
    Kind.INVITED: invited,
    Kind.MISSED: missed,
    Kind.LOW: low,
    Kind.ADDED: added,
    Kind.REFUSED: refused,
    Kind.CARD: card,
    Kind.SHARED: shared,
}
