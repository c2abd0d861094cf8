"""What must follow the end of a person or a group, whoever deletes them: the API, the admin, a command."""

from datetime import timedelta
from typing import Any

from django.db.models import Model, Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.db.models.signals import pre_delete
from django.utils import timezone

from core.transactions import lock_rows
from groups.models import (
    PARTS,
    Activity,
    Caption,
    Departure,
    Device,
    Group,
    Invitation,
    InvitationLink,
    Membership,
    Ownership,
    PartialCaption,
    Participant,
    Push,
    SandboxNotification,
)
from groups.notifications.devices import forget_binding
from groups.notifications.models import Notice, SandboxEmail, SandboxMessage
from groups.notifications.notices import pushing
from groups.notifications.notices.telling import tell
from groups.notifications.pushes import concerns
from groups.services import heir_of, take_off_list
from groups.signals import invited
from groups.triggers import stop_counting
from users.client_identity import client_identity
from users.erasing import goers, marks_of, names_of, redact, saying
from users.models import User, VendorDeletion, VerifiedNumber
from users.services import ask_again_before_it_goes
from users.signals import number_shared
from users.vendor_deletions import delete_at_vendor, tellers

A_DAY = timedelta(days=1)


def hand_groups_on(sender: type[User], instance: User, origin: User | QuerySet[User], **kwargs: Any) -> None:
    """Passes a leaver's groups to the longest-standing member; a group left with nobody goes.

    In a bulk deletion (`origin` is its queryset) nobody who goes too can be an heir.
    """
    stop_counting()
    goer_ids = goers(instance, origin)
    owned = set(Ownership.objects.filter(user=instance).values_list("group_id", flat=True))
    joined = set(Membership.objects.filter(user=instance).values_list("group_id", flat=True))
    for group in lock_rows(Group.objects.filter(pk__in=owned | joined)):
        hand_on(group, goer_ids, was_owned=group.pk in owned)


def hand_on(group: Group, goer_ids: set[int], *, was_owned: bool) -> None:
    if group.ownerships.exclude(user_id__in=goer_ids).exists():
        return
    heir = heir_of(group, goer_ids)
    if heir is None:
        group.delete()
    elif was_owned:
        Ownership.objects.create(group=group, user=heir)


def forget_words(sender: type[User], instance: User, origin: User | QuerySet[User], **kwargs: Any) -> None:
    """Takes their name out of what others wrote in groups in which anything of theirs stands, and their email and
    number out of all groups: a name alone, anywhere else, is anybody's."""
    names, marks = names_of(instance, goers(instance, origin)), marks_of(instance)
    own = groups_with_a_trace_of(instance)
    redact(Activity.objects.filter(group__in=own).exclude(user=instance), "activity", names)
    redact(Activity.objects.exclude(user=instance), "activity", marks)
    redact(InvitationLink.objects.all(), "sent_to", marks)
    for said in (Caption, PartialCaption):
        redact(said._base_manager.filter(group__in=own).exclude(user=instance), "text", names)
        redact(said._base_manager.exclude(user=instance), "text", marks)
    told = SandboxNotification.objects.annotate(to=Cast("identities", TextField()))
    to_them, says_it = Q(to__contains=f'"{client_identity(instance.pk)}"'), saying("body", names)
    names_them = saying("text", names) | saying("subject", names)
    SandboxEmail.objects.filter(Q(to__iexact=instance.email) | names_them).delete()
    told.filter(to_them | (says_it & Q(group_id__in=own)) | saying("body", marks)).delete()
    SandboxMessage.objects.filter(saying("body", names) | saying("to", marks)).delete()
    Push.objects.filter((says_it & Q(group_id__in=own)) | saying("body", marks)).delete()


def groups_with_a_trace_of(person: User) -> set[int]:
    """In which they have a part, are on the call, have left a moment ago, or ever did something."""
    traces: tuple[type[Model], ...] = (*PARTS, Participant, Departure, Activity, Caption)
    return {pk for each in traces for pk in each._base_manager.filter(user=person).values_list("group_id", flat=True)}


def forget_devices(sender: type[User], instance: User, **kwargs: Any) -> None:
    """Their rows go along, but for those that were registered before anybody had this identity; and at the vendor."""
    early = Device.objects.filter(user=None, identity=client_identity(instance.pk))
    own = (Device.objects.filter(user=instance) | early).values_list("binding_type", "sid")
    bindings = [f"{kind}:{sid}" for kind, sid in own if sid]
    delete_at_vendor(VendorDeletion.Kind.BINDING, bindings, person_id=instance.pk)
    early.delete()


def clear_call_list(sender: type[Group], instance: Group, origin: Any, **kwargs: Any) -> None:
    """The people on a group's call are no longer on a call, unless they are on another's.

    Locks all groups that go, and then the people on their lists.
    """
    is_bulk = isinstance(origin, QuerySet) and origin.model is Group
    going = {instance.pk, *(origin.order_by().values_list("pk", flat=True) if is_bulk else ())}
    lock_rows(Group.objects.filter(pk__in=going).only("pk"))
    lists = Participant.objects.filter(group__in=going)
    locked = lock_rows(User.objects.filter(pk__in=lists.values("user")).only("pk"))
    ask_again_before_it_goes(instance)
    stop_counting(instance)
    on = set(instance.participants.values_list("user_id", flat=True))
    take_off_list(group=instance, people=on)
    User.objects.filter(pk__in=on & {user.pk for user in locked}, participants=None).update(call_status=False)


def tell_invitee(sender: type[Invitation], invitation: Invitation, **kwargs: Any) -> None:
    """Once a day at most of one group: who is invited, taken off the list and invited again hears of it once."""
    since = timezone.now() - A_DAY
    lately = Notice.objects.filter(user=invitation.user_id, kind=Notice.Kind.INVITED, created_at__gt=since)
    if not lately.filter(group=invitation.group_id).exists():
        about, by = str(invitation.pk), invitation.invited_by_id
        tell([invitation.user_id], Notice.Kind.INVITED, about, group_id=invitation.group_id, by=by)


def tell_of_sharing(
    sender: type[VerifiedNumber], people: list[int], newcomer: User, ending: str, **kwargs: Any
) -> None:
    """Once of each newcomer and number, however often they forget it and verify it again."""
    tell(people, Notice.Kind.SHARED, f"{newcomer.pk} {ending}", ending=ending)


def connect() -> None:
    number_shared.connect(tell_of_sharing, sender=VerifiedNumber, dispatch_uid="groups.tell_of_sharing")
    concerns[pushing.KIND] = pushing.CONCERN
    invited.connect(tell_invitee, sender=Invitation, dispatch_uid="groups.tell_invitee")
    pre_delete.connect(forget_words, sender=User, dispatch_uid="groups.forget_words")
    pre_delete.connect(forget_devices, sender=User, dispatch_uid="groups.forget_devices")
    pre_delete.connect(hand_groups_on, sender=User, dispatch_uid="groups.hand_groups_on")
    pre_delete.connect(clear_call_list, sender=Group, dispatch_uid="groups.clear_call_list")
    tellers[VendorDeletion.Kind.BINDING] = forget_binding
