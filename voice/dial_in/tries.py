"""How many wrong codes are borne, counted in the database for all processes together. They hold everywhere, in
development and in the sandbox too: they protect other people.

A try is taken before the code is looked at, and given back where it was right: however many ask at the same moment, no
more codes are looked at than there are tries.
"""

from billing.notices import notify
from users.limits import Full, Place, give_all_back, give_back, is_full, keyed, take_place

__all__ = ("TooManyWrongError", "give_all_back", "refuse_if_over", "take_try", "tell_if_attacked")

HOUR = 3600
OF_A_CALLER, OF_ALL_WITHHELD, OF_ALL = 5, 50, 200
CALLERS, EVERYBODYS = "dial_in_caller", "dial_in_all"
EVERYBODY = keyed("dial-in", "everybody")
ATTACKED = (
    "Telephones that dial in have typed 200 wrong codes within an hour: somebody may be guessing. Codes are not taken "
    "from callers whose number is not vouched for, until an hour has fewer. Who is known by their number walks in as "
    "before. Look at the calls to your numbers in Twilio's console."
)


class TooManyWrongError(Exception):
    """No code is taken from this caller: too many were wrong within an hour."""

    def __init__(self, *, is_of_all: bool) -> None:
        self.is_of_all = is_of_all
        """Of all callers together, not of this one."""


def refuse_if_over(number: str | None, *, is_attested: bool) -> None:
    """Takes nothing: for before a code is asked for."""
    if is_full(CALLERS, who(number), most(number)):
        raise TooManyWrongError(is_of_all=False)
    if not is_attested and is_full(EVERYBODYS, EVERYBODY, OF_ALL):
        raise TooManyWrongError(is_of_all=True)


def take_try(number: str | None, *, is_attested: bool) -> list[Place]:
    """For one code of a caller from this number; None for one who shows none."""
    own = take_place(CALLERS, who(number), most(number), HOUR)
    if isinstance(own, Full):
        raise TooManyWrongError(is_of_all=False)
    of_all = take_place(EVERYBODYS, EVERYBODY, OF_ALL, HOUR)
    if isinstance(of_all, Place):
        return [own, of_all]
    if is_attested:
        return [own]
    give_back(own)
    raise TooManyWrongError(is_of_all=True)


def tell_if_attacked() -> None:
    """After a wrong code."""
    if is_full(EVERYBODYS, EVERYBODY, OF_ALL):
        notify("dialIn:codes", ATTACKED)


def who(number: str | None) -> str:
    return keyed("caller", number or "")


def most(number: str | None) -> int:
    return OF_A_CALLER if number else OF_ALL_WITHHELD
