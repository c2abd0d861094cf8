"""Having people rung to come to their group's call, by their apps and their verified telephones at once.

Costs are held for each leg before it rings, as for one that asks to be let in. What protects other people is counted in
the database and holds everywhere. docs/decisions/ringing.md
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from django.conf import settings
from django.utils import timezone
from rest_framework.exceptions import APIException

from billing.models import Account
from core.phone_numbers import costs_extra, country_of
from core.throttle import TooManyRequests
from core.transactions import atomic_and_retried
from groups.models import Device, Group, Membership, Ownership, Ring
from groups.services import lock_group
from users.client_identity import CLIENT, client_identity
from users.limits import Full, Place, give_all_back, keyed, take_place
from users.models import User, VerifiedNumber
from voice.callers import RefusedCallError
from voice.calls import GroupHasChanged, NotEnoughCredit, limit_of, payer_account, payer_of
from voice.models import Call, GroupCall
from voice.ring_outcomes import say_so
from voice.ringing.legs import WAITS, begin_looking, dial, new_sid
from voice.telephony.interface import telephony

HOUR = 3600
OF_A_PERSON, OF_A_GROUP, OF_A_PAYER = 10, 60, 120
"""An hour: how often somebody has people rung, and how many people a group and a payer have rung."""
APP, PHONE = "app", "phone"


class NotAMember(APIException):
    status_code = 400
    default_code = "not_a_member"
    default_detail = "Only people of the group can be rung. Leave the others out of userIds."


@dataclass(frozen=True, slots=True)
class Way:
    by: str
    to: str
    """As Twilio dials it."""


@dataclass(slots=True)
class Rung:
    """Who is rung now, and by what; and who is not, and why."""

    ringing: list[tuple[int, list[str]]] = field(default_factory=list)
    skipped: list[tuple[int, str]] = field(default_factory=list)


@dataclass(slots=True)
class Turn:
    """One request's places among the limits, and its payer's money."""

    group: Group
    account: Account | None
    who: str
    waits: list[float] = field(default_factory=list)
    """Seconds, for who was refused for a limit."""
    is_counted: bool = False

    def why_not(self) -> str | None:
        """Takes places for one person, unless it is money that lacks, or a limit that is reached."""
        if not self.is_paid():
            return "noCredit"
        wanted = [] if self.is_counted else [("ring_person", self.who, OF_A_PERSON)]
        wanted.append(("ring_group", keyed("group", str(self.group.pk)), OF_A_GROUP))
        if self.account:
            wanted.append(("ring_payer", keyed("account", str(self.account.pk)), OF_A_PAYER))
        taken: list[Place] = []
        for limit, who, places in wanted:
            place = take_place(limit, who, places, HOUR)
            if isinstance(place, Full):
                give_all_back(taken)
                self.waits.append(place.wait)
                return "limit"
            taken.append(place)
        self.is_counted = True
        return None

    def is_paid(self) -> bool:
        """Whether the money carries one leg more, beside those that are stored. The account is locked."""
        try:
            limit_of(self.account, "", now=timezone.now())
        except RefusedCallError:
            return False
        return True


@atomic_and_retried
def ring(*, group_id: int, user_ids: list[int] | None, by: User | None, who: str, check: Callable[[], None]) -> Rung:
    """Has these people rung, or all others who are not on the call. `who` is under whom the limits count it.

    Raises Http404, NotAMember, TooManyRequests and NotEnoughCredit where nobody can be rung for that, GroupHasChanged,
    NotConfigured.
    """
    telephony()
    account = payer_account(group_id)
    group = lock_group(group_id)
    check()
    payer = payer_of(group)
    if (payer and payer.pk) != (account and account.user_id):
        raise GroupHasChanged
    people = people_to_ring(group, user_ids, by)
    turn, rung, rings = Turn(group, account, who), Rung(), []
    reasons, ways = reasons_against(group, people), Ways(people)
    for person in people:
        why = reasons.get(person.pk) or ways.why_none(person) or turn.why_not()
        if why:
            rung.skipped.append((person.pk, why))
            continue
        made = replace_ring(group, person, by)
        rings.append(made)
        rung.ringing.append((person.pk, store_legs(turn, made, ways.take(person))))
    if not rings:
        refuse_whole(turn, rung)
    say_so(rings)
    return rung


def people_to_ring(group: Group, user_ids: list[int] | None, by: User | None) -> list[User]:
    parts = [each.objects.filter(group=group).values_list("user_id", flat=True) for each in (Membership, Ownership)]
    ids = set(parts[0]) | set(parts[1])
    if user_ids is None:
        ids -= {by.pk} if by else set()
    elif set(user_ids) - ids:
        raise NotAMember
    else:
        ids = set(user_ids)
    return list(User.objects.filter(pk__in=ids).order_by("pk"))


def reasons_against(group: Group, people: Collection[User]) -> dict[int, str]:
    """Why these people are not rung, whatever they have: the first of the reasons."""
    ids = [person.pk for person in people]
    on = {*Call.objects.filter(group_id=group.pk, is_on=True, user_id__in=ids).values_list("user_id", flat=True)}
    on |= {*group.participants.filter(user__in=ids).values_list("user_id", flat=True)}
    ringing = set(Ring.objects.filter(group=group, state=Ring.State.RINGING).values_list("user_id", flat=True))
    is_locked = GroupCall.objects.is_locked(group.pk)
    return {
        pk: "onCall" if pk in on else "alreadyRinging" if pk in ringing else "locked"
        for pk in ids
        if pk in on or pk in ringing or is_locked
    }


class Ways:
    """By what these people can be rung: their apps, where a phone of theirs is registered, and verified telephones."""

    def __init__(self, people: Collection[User]) -> None:
        active = [person.pk for person in people if person.is_active]
        self.with_app = set(Device.objects.of_people(active).values_list("user_id", flat=True))
        self.numbers = dict(VerifiedNumber.objects.filter(user__in=active).values_list("user_id", "number"))
        called = [*self.numbers.values(), *(f"{CLIENT}{client_identity(pk)}" for pk in self.with_app)]
        self.busy = set(Call.objects.rung().filter(called__in=called).values_list("called", flat=True))

    def why_none(self, person: User) -> str | None:
        ways = self.all_of(person)
        if self.of(person):
            return None
        if any(way.to in self.busy for way in ways):
            return "alreadyRinging"
        return "country" if ways else "noWay"

    def of(self, person: User) -> list[Way]:
        """A telephone that several people share rings for one of them at a time."""
        ways = [way for way in self.all_of(person) if way.to not in self.busy]
        return [way for way in ways if way.by == APP or may_be_rung(way.to)]

    def all_of(self, person: User) -> list[Way]:
        ways = [Way(APP, f"{CLIENT}{client_identity(person.pk)}")] if person.pk in self.with_app else []
        number = self.numbers.get(person.pk)
        return [*ways, Way(PHONE, number)] if number else ways

    def take(self, person: User) -> list[Way]:
        taken = self.of(person)
        self.busy |= {way.to for way in taken}
        return taken


def may_be_rung(number: str) -> bool:
    """Only verified numbers are asked for: no emergency number is one."""
    return country_of(number) in settings.RING_COUNTRIES and not costs_extra(number)


def replace_ring(group: Group, person: User, by: User | None) -> Ring:
    """The new one has another id: what is told of the old one's legs no longer matters."""
    Ring.objects.filter(group=group, user=person).delete()
    return Ring.objects.create(group=group, user=person, by=by)


def store_legs(turn: Turn, made: Ring, ways: Collection[Way]) -> list[str]:
    """One for each way that the money carries, the first of them in any case, and a job that rings it; the ways."""
    now = timezone.now()
    by: list[str] = []
    for way in ways:
        if by and not turn.is_paid():
            break
        leg = Call.objects.create(
            sid=new_sid(),
            user_id=made.user_id,
            group_id=made.group_id,
            payer=turn.account,
            caller=telephony().caller_id,
            called=way.to,
            direction="outbound-api",
            status=WAITS,
            ring_id=made.pk,
            created_at=now,
            heard_at=now,
        )
        dial.enqueue(leg.pk)
        by.append(way.by)
    begin_looking(made.pk, now=now)
    return by


def refuse_whole(turn: Turn, rung: Rung) -> None:
    """Where nobody is rung, and a limit or money is why."""
    if turn.waits:
        raise TooManyRequests(min(turn.waits))
    if any(why == "noCredit" for _, why in rung.skipped):
        raise NotEnoughCredit
