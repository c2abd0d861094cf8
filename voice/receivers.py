"""What follows the end of a group, a person or somebody's place in a group, whoever brings it about: the API, the
admin, a command. They are hung up on by jobs (`voice/hang_ups.py`).
"""

from typing import Any

from django.db.models import Model, Q, QuerySet
from django.db.models.signals import post_delete, post_save, pre_delete

from billing.audit.invariants import proves
from billing.erasing import lock_events_about
from billing.ledger import holds_money
from billing.models import Account
from core.jobs.queue import enqueue_each
from core.phone_numbers import forms_of
from core.transactions import lock_rows
from groups.models import Group, GroupPerson, Invitation, Membership, Ownership, Participant
from groups.notifications.pushes import Concern, concerns
from groups.services import lock_around
from users.client_identity import CLIENT, client_identity
from users.erasing import goers, numbers_of
from users.models import User
from voice.conferences import announcing
from voice.credit.audit import prove_charges
from voice.credit.call_credit import held_by_calls
from voice.dial_in_models import DialInCode
from voice.hang_ups import end_conference, hang_up
from voice.models import Call, Conference, HangUp


def lock_what_goes(sender: type[User], instance: User, origin: User | QuerySet[User], **kwargs: Any) -> None:
    """Locks all that the end of these people touches, in the order of docs/design.md and before any of it is touched.

    It stands on the highest floor, which knows all the others, and is told first: its app is the first in
    INSTALLED_APPS.
    """
    if not is_told_first(instance, going := goers(instance, origin)):
        return
    people = User.objects.filter(pk__in=going).order_by("pk")
    lock_events_about(people)
    lock_rows(legs_naming(going).only("pk"))
    lock_rows(Account.objects.filter(user__in=going))
    lock_around(people)


def end_call_of_group(sender: type[Group], instance: Group, **kwargs: Any) -> None:
    hang_up(Call.objects.filter(group_id=instance.pk), why=HangUp.Why.GROUP_GONE)
    running = Conference.objects.filter(group_id=instance.pk, ended_at=None, completed=False)
    enqueue_each(end_conference, running.order_by("pk").values_list("pk"))


def end_legs_of_person(sender: type[User], instance: User, **kwargs: Any) -> None:
    """Theirs, and those that they pay: nobody would pay for them any more."""
    hang_up(Call.objects.filter(user_id=instance.pk), why=HangUp.Why.PERSON_GONE)
    hang_up(Call.objects.filter(payer__user=instance), why=HangUp.Why.PAYER_GONE)


def forget_callers(sender: type[User], instance: User, origin: User | QuerySet[User], **kwargs: Any) -> None:
    """A leg stays until it is paid, and then for the books: of whom, only the id.

    All who go together at once, before any group of theirs is locked: legs are locked first. Nobody else's number is
    taken off: several may share a landline.
    """
    if is_told_first(instance, going := goers(instance, origin)):
        legs_naming(going).update(caller="", called="")


def is_told_first(person: User, going: set[int]) -> bool:
    """Of people who go together Django tells of the lowest id first: what is done for all is done then."""
    return person.pk == min(going)


def legs_naming(going: set[int]) -> QuerySet[Call]:
    numbers = {form for number in numbers_of(going) for form in forms_of(number)}
    names = [*numbers, *(f"{CLIENT}{client_identity(pk)}" for pk in going)]
    named = Q(user_id=None) & (Q(caller__in=names) | Q(called__in=names))
    return Call.objects.filter(Q(user_id__in=going) | named).exclude(caller="", called="")


def end_legs_of_disabled(sender: type[User], instance: User, **kwargs: Any) -> None:
    if not instance.is_active:
        hang_up(Call.objects.filter(user_id=instance.pk), why=HangUp.Why.DISABLED)


def end_legs_of_leaver(sender: type[GroupPerson], instance: GroupPerson, origin: Any, **kwargs: Any) -> None:
    """Who has lost their last part in the group, which an invitation is not. Their code for it goes, too."""
    if (
        goes_alone(sender, origin)
        and not Group.objects.of_person(instance.user_id).filter(pk=instance.group_id).exists()
    ):
        hang_up(legs_of(instance), why=HangUp.Why.NO_PART)
        DialInCode.objects.filter(group=instance.group_id, user=instance.user_id).delete()


def end_legs_of_participant(sender: type[GroupPerson], instance: GroupPerson, origin: Any, **kwargs: Any) -> None:
    """Who is taken off the call list. Who goes because Twilio says so goes without a signal."""
    if goes_alone(sender, origin):
        hang_up(legs_of(instance), why=HangUp.Why.TAKEN_OFF)


def legs_of(place: GroupPerson) -> QuerySet[Call]:
    return Call.objects.filter(group_id=place.group_id, user_id=place.user_id)


def goes_alone(sender: type[Model], origin: Model | QuerySet[Any]) -> bool:
    """Whether a row does not go with its group or its person, whose end ends the legs."""
    return (origin.model if isinstance(origin, QuerySet) else type(origin)) is sender


def connect() -> None:
    holds_money(held_by_calls)
    proves(prove_charges)
    concerns[announcing.KIND] = Concern(announcing.still, announcing.ended)
    post_delete.connect(end_call_of_group, sender=Group, dispatch_uid="voice.end_call_of_group")
    pre_delete.connect(lock_what_goes, sender=User, dispatch_uid="voice.lock_what_goes")
    pre_delete.connect(forget_callers, sender=User, dispatch_uid="voice.forget_callers")
    pre_delete.connect(end_legs_of_person, sender=User, dispatch_uid="voice.end_legs_of_person")
    post_save.connect(end_legs_of_disabled, sender=User, dispatch_uid="voice.end_legs_of_disabled")
    for part in (Ownership, Membership, Invitation):
        post_delete.connect(end_legs_of_leaver, sender=part, dispatch_uid=f"voice.{part.__name__}.end_legs")
    post_delete.connect(end_legs_of_participant, sender=Participant, dispatch_uid="voice.end_legs_of_participant")
