"""Who may do what in a group, where sign-in is on.

Each view set says it in `rules`, action by action, in the words of the table below; nobody else finds the group at all.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from functools import cached_property
from typing import Any, NamedTuple

from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404
from django.utils import timezone
from rest_framework.request import Request

from core.prepared import prepared
from core.wire import read
from groups.models import PARTS, Departure, Group
from users.api.idempotent import is_answered
from users.api.permissions import ASK_NOTHING, IsSignedUp
from users.api.serializers import UserIdSerializer
from users.callers import caller_of
from users.models import User


class Reach(IntEnum):
    """For whom somebody may do a thing."""

    NOBODY = 0
    ONESELF = 1
    ANYBODY = 2


NOBODY, ONESELF, ANYBODY = Reach


class Rule(NamedTuple):
    """How far each may reach who is around a group. Who has two parts in it reaches as far as the better one."""

    owner: Reach
    member: Reach
    invitee: Reach


EVERYBODY_THERE = Rule(owner=ANYBODY, member=ANYBODY, invitee=ANYBODY)
THE_GROUP = Rule(owner=ANYBODY, member=ANYBODY, invitee=NOBODY)
OWNERS = Rule(owner=ANYBODY, member=NOBODY, invitee=NOBODY)
OWNERS_FIELDS = {"name", "phoneNumber"}


def _parts_of(ids: Sequence[int]) -> QuerySet[Any, Any]:
    group_id, user_id = ids
    links = {
        str(part._meta.model_name): Exists(part.objects.filter(group=OuterRef("pk"), user_id=user_id)) for part in PARTS
    }
    return Group.objects.filter(pk=group_id).annotate(**links)


parts_of = prepared(_parts_of, [str(part._meta.model_name) for part in PARTS])


def reach(rule: Rule, *, group_id: int, user_id: int) -> Reach | None:
    """How far this person may reach in this group; None for whom it does not exist."""
    for row in parts_of((group_id, user_id)):
        return furthest(rule, row.values())
    return None


def furthest(rule: Rule, parts: Iterable[bool]) -> Reach | None:
    """By the parts that somebody has in a group, in the order of PARTS; None for who has none."""
    return max((each for each, is_theirs in zip(rule, parts, strict=True) if is_theirs), default=None)


def exists(group_id: int) -> bool:
    """Raises Http404 where it does not."""
    if not Group.objects.filter(pk=group_id).exists():
        raise Http404
    return True


class MayInGroup(IsSignedUp):
    """Whom the view's `rules` let do this in the group of the path. Strangers are told that there is no such group.

    Who may do everything is told so only where something is to be added: of a read, the query that it takes tells.
    """

    message = "Your place in this group does not allow this."

    def has_permission(self, request: Request, view: Any) -> bool:
        super().has_permission(request, view)
        caller = caller_of(request)
        if view.action in ASK_NOTHING:
            return True
        if not isinstance(caller, User) or caller.is_staff:
            return request.method != "POST" or exists(self.group_id(request, view))
        found = reach(self.rule(request, view), group_id=self.group_id(request, view), user_id=caller.pk)
        if found is None:
            return self.let_stranger_in(request, view, caller)
        return found is ANYBODY or (found is ONESELF and view.named_person == caller.pk)

    def rule(self, request: Request, view: Any) -> Rule:
        rule: Rule = view.rules[view.action]  # an action without a rule is nobody's
        return rule

    def group_id(self, request: Request, view: Any) -> int:
        group_id: int = view.kwargs["group_id"]
        return group_id

    def let_stranger_in(self, request: Request, view: Any, caller: User) -> bool:
        raise Http404


class MayChangeGroup(MayInGroup):
    """Members may say whether the group is on a call. The rest of it is its owners'."""

    def rule(self, request: Request, view: Any) -> Rule:
        names = set(request.data) if isinstance(request.data, Mapping) else set()
        return super().rule(request, view) if names & OWNERS_FIELDS else THE_GROUP


class MayPostActivity(MayInGroup):
    """Also who has just left or declined: the clients post what somebody did after it is done."""

    def let_stranger_in(self, request: Request, view: Any, caller: User) -> bool:
        departures = Departure.objects.recent(now=timezone.now())
        departed = departures.filter(group=self.group_id(request, view), user=caller).first()
        if departed and (not departed.is_said or is_answered(request)):  # whose answer was lost has it again
            named: int = view.named_person
            return named == caller.pk
        raise Http404


class MayLeave(MayInGroup):
    """Also who has just left or declined: they ask again where the first answer was lost. Their view's `has_left` says
    that it is so; of others they learn nothing."""

    def let_stranger_in(self, request: Request, view: Any, caller: User) -> bool:
        departures = Departure.objects.recent(now=timezone.now())
        if view.named_person != caller.pk or not departures.filter(group=view.kwargs["group_id"], user=caller).exists():
            raise Http404
        view.has_left = True
        return True


class NamesPerson:
    """A view set whose requests name a person: by the path, else by the body, which is read once."""

    request: Any
    kwargs: dict[str, Any]

    @cached_property
    def named_person(self) -> int:
        if "user_id" in self.kwargs:
            user_id: int = self.kwargs["user_id"]
            return user_id
        named: int = read(UserIdSerializer, self.request.data)["userId"]
        return named
