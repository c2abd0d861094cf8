"""Somebody who is alone on a call is told so, and hung up on a minute later: a receiver that lies beside its phone
costs money for four hours. After END_WHEN_ALONE minutes in all, whether others have left or never come.

Each time that somebody begins to be alone a job is stored for the time of the warning, and by the warning one for the
end; `reconcile_calls` looks after what these have missed. Before either Twilio is asked whether it is so: of somebody
who has joined we may not have heard.
"""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django_tasks import task

from core.attempts import Attempts
from core.transactions import atomic_and_retried
from voice.announcements import ALONE, address_of
from voice.hang_ups import hang_up
from voice.models import Conference, GroupCall, HangUp
from voice.telephony.interface import telephony

logger = logging.getLogger(__name__)

MINUTE = timedelta(minutes=1)
"""From the warning to the end."""
MOST_AT_ONCE = 100


def warned_after() -> timedelta:
    return settings.END_WHEN_ALONE * MINUTE - MINUTE


def note_who_is_alone(conference: Conference, *, now: datetime) -> None:
    """Runs under the conference's lock, once its legs are written; the caller saves it. One leg is one person, however
    many listen there, and two are company, whoever has them."""
    if conference.calls.filter(is_on=True)[:2].count() != 1:
        conference.alone_since = conference.alone_told_at = None
    elif conference.alone_since is None:
        conference.alone_since = now
        if settings.END_WHEN_ALONE:
            see_to_who_is_alone.using(run_after=now + warned_after()).enqueue(conference.sid)


@task(seconds=20, tries=6, longest_wait=MINUTE)
def see_to_who_is_alone(sid: str) -> None:
    """Raises where Twilio does not answer."""
    now = timezone.now()
    for conference in long_alone(now).filter(pk=sid):
        see_to(conference, now=now)


def see_to_all(*, now: datetime) -> int:
    """For each minute, where no job has; how many could not be seen to."""
    attempts = Attempts()
    for conference in long_alone(now).order_by("alone_since")[:MOST_AT_ONCE]:
        if attempts.is_over:
            break
        with attempts.one(f"see to who is alone on conference {conference.sid}"):
            see_to(conference, now=now)
    return attempts.failed


def long_alone(now: datetime) -> QuerySet[Conference]:
    """Where somebody is to be warned, or ended, in groups that have not switched that off."""
    if not settings.END_WHEN_ALONE:
        return Conference.objects.none()
    off = GroupCall.objects.filter(end_when_alone=False).values("pk")
    return Conference.objects.filter(ended_at=None, alone_since__lte=now - warned_after()).exclude(group_id__in=off)


def see_to(conference: Conference, *, now: datetime) -> None:
    told_at = conference.alone_told_at
    if told_at and now < told_at + MINUTE:
        return
    if not is_so(conference):
        return
    if told_at:
        end(conference)
    else:
        warn(conference, now=now)


def is_so(conference: Conference) -> bool:
    """Whether Twilio says so too; where calls are played there is nobody to ask. Where it knows better,
    `reconcile_calls` asks at its next run, and learns it."""
    if telephony().is_played:
        return True
    report = telephony().conference(sid=conference.sid)
    if report and len(report.on) == 1:
        return True
    Conference.objects.filter(pk=conference.pk).update(heard_at=conference.alone_since)
    return False


def warn(conference: Conference, *, now: datetime) -> None:
    """Has it spoken into the call. Who cannot be spoken to is ended all the same. One run alone does it."""
    mine = Conference.objects.filter(pk=conference.pk, alone_since=conference.alone_since)
    with transaction.atomic():
        if not mine.filter(alone_told_at=None).update(alone_told_at=now):
            return
        see_to_who_is_alone.using(run_after=now + MINUTE).enqueue(conference.sid)
    try:
        is_known = telephony().announce(
            conference_sid=conference.sid, url=address_of(ALONE, group_id=conference.group_id)
        )
    except Exception:
        mine.update(alone_told_at=None)
        raise
    if not is_known:
        logger.warning("Who is alone on conference %s could not be warned", conference.sid)


@atomic_and_retried
def end(conference: Conference) -> None:
    """Unless somebody has joined since it was read."""
    rows = Conference.objects.select_for_update(no_key=True)
    for still in rows.filter(pk=conference.pk, alone_since=conference.alone_since):
        hang_up(still.calls.filter(is_on=True), why=HangUp.Why.ALONE)
