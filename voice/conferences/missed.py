"""Telling who was not on a group's call that they missed it, once it is over."""

from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone
from django_tasks import task

from core.transactions import atomic_and_retried
from groups.models import Group
from groups.notifications.models import Notice
from groups.notifications.notices.telling import tell
from users.models import User
from voice.models import Call, Conference
from voice.telephony.interface import telephony

MINUTE = timedelta(minutes=1)
"""So long a call may break off and begin anew, and is one; and so long late events may come."""
LATEST = timedelta(hours=12)
"""What is heard of so late nobody has missed: they have looked since."""


def plan_missed(conference: Conference, *, now: datetime) -> None:
    """Stores the job that tells, with the event by which the call is over. Where calls are played nobody waits."""
    on = Call.objects.filter(group_id=conference.group_id, is_on=True)
    if on.exclude(conference=conference).exists():  # it goes on, on another one
        return
    later = tell_missed if telephony().is_played else tell_missed.using(run_after=now + MINUTE)
    later.enqueue(conference.sid)


@task(seconds=30)
def tell_missed(sid: str) -> None:
    for conference in Conference.objects.filter(pk=sid, ended_at__gt=timezone.now() - LATEST):
        tell_who_missed(conference)


@atomic_and_retried
def tell_who_missed(conference: Conference) -> None:
    """Under the group's lock: nobody who is told leaves it, or is deleted, at the same moment."""
    group = Group.objects.select_for_update(no_key=True).filter(pk=conference.group_id or 0).first()
    if group is None or conference.ended_at is None:
        return
    legs = list(legs_of(conference).order_by("start_time", "pk").values_list("user_id", flat=True))
    if not legs:
        return
    there = list(dict.fromkeys(user_id for user_id in legs if user_id))
    tell(
        absent(group, conference),
        Notice.Kind.MISSED,
        conference.sid,
        group_id=group.pk,
        there=there,
        others=legs.count(None),
        seconds=int((conference.ended_at - conference.created_at).total_seconds()),
    )


def legs_of(conference: Conference) -> QuerySet[Call]:
    """Also of a conference before, from which the call has gone on to this one."""
    of_group = Call.objects.filter(group_id=conference.group_id, conference__isnull=False)
    return conference.calls.all() | of_group.filter(
        start_time__gte=conference.created_at, start_time__lte=conference.ended_at
    )


def absent(group: Group, conference: Conference) -> list[int]:
    """The group's people, but for who has called in since it began, also after it broke off, and who was told within a
    minute that they missed one."""
    in_group = User.objects.filter(memberships__group=group) | User.objects.filter(ownerships__group=group)
    came = Call.objects.filter(group_id=group.pk, user_id__isnull=False, created_at__gte=conference.created_at - MINUTE)
    on_it = conference.calls.filter(user_id__isnull=False)
    lately = Notice.objects.filter(group=group, kind=Notice.Kind.MISSED, created_at__gt=timezone.now() - MINUTE)
    people = in_group.exclude(pk__in=came.values("user_id")).exclude(pk__in=on_it.values("user_id"))
    return list(people.exclude(pk__in=lately.values("user_id")).values_list("pk", flat=True))
