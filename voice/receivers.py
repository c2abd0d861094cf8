"""What follows the end of a group or a person: their calls end at Twilio, after the commit.

Where Twilio does not answer then, `manage.py reconcile_calls` ends them later. Django's on_commit wants functions: of
a partial it cannot tell the name in its log, and fails where it should be robust.
"""

from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete, pre_delete

from core.vendors import best_effort
from groups.models import Group
from users.models import User
from voice.models import Call, Conference
from voice.telephony.interface import telephony


def end_group_call(sender: type[Group], instance: Group, **kwargs: Any) -> None:
    if instance.call_status or Call.objects.running().filter(group_id=instance.pk).exists():
        group_id = instance.pk  # gone from the instance by then
        transaction.on_commit(lambda: end_conference(group_id), robust=True)


def end_persons_legs(sender: type[User], instance: User, **kwargs: Any) -> None:
    for sid in Call.objects.filter(user_id=instance.pk, end_time=None).values_list("sid", flat=True):
        transaction.on_commit(lambda sid=sid: end_leg(sid), robust=True)  # type: ignore[misc]  # sid is a str


def end_conference(group_id: int) -> None:
    """By the sids that we know, never by its name: another server's conference may be called the same."""
    for sid in Conference.objects.filter(group_id=group_id, ended_at=None).values_list("sid", flat=True):
        with best_effort(f"end the call of the deleted group {group_id}"):
            telephony().end_conference(sid=sid)
    for sid in Call.objects.running().filter(group_id=group_id, conference=None).values_list("sid", flat=True):
        with best_effort(f"end call {sid} of the deleted group {group_id}"):
            telephony().end_call(call_sid=sid)


def end_leg(sid: str) -> None:
    with best_effort(f"end call {sid} of a deleted person"):
        telephony().end_call(call_sid=sid)


def connect() -> None:
    post_delete.connect(end_group_call, sender=Group, dispatch_uid="voice.end_group_call")
    pre_delete.connect(end_persons_legs, sender=User, dispatch_uid="voice.end_persons_legs")
