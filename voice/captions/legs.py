"""Having Twilio write down what each phone on a call says, and having it stop: by jobs, each of them once.

A leg that is let in while captions are on is told so in its TwiML, and its first event makes it known. Whatever was
missed is found each minute (`healing.py`).
"""

import logging
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone
from django_tasks import task

from core.jobs.queue import enqueue_each
from core.transactions import atomic_and_retried
from groups.models import Group
from voice.announcements import CAPTIONS_OFF, address_of
from voice.captions import lines
from voice.captions.asking import asked, caption_language
from voice.models import Call, Conference, GroupCall, Transcription
from voice.telephony.interface import Captions, CaptionsRefused, telephony

logger = logging.getLogger(__name__)

Fault = Transcription.Fault

MINUTE = timedelta(minutes=1)
SETTLES = timedelta(seconds=30)
"""From when a leg is let in until Twilio takes it for one in progress; and from when it is asked until it begins."""


def on_the_line(group_id: int) -> QuerySet[Call]:
    """The legs of a group's call that Twilio has named: those who are on, and who has just been let in."""
    legs = Call.objects.running().known().filter(group_id=group_id)
    return legs.exclude(pk__in=Call.objects.rung().values("pk")).order_by("pk")


def adjust_all(group_id: int) -> None:
    """Has each leg brought to what is wanted of its group's captions now."""
    enqueue_each(adjust, on_the_line(group_id).values_list("pk"))


def announce_to_all(group_id: int, name: str) -> None:
    running = Conference.objects.filter(calls__in=Call.objects.filter(group_id=group_id, is_on=True)).distinct()
    enqueue_each(announce, [(sid, name) for sid in running.order_by("pk").values_list("pk", flat=True)])


@task(seconds=15, tries=3, longest_wait=MINUTE)
def announce(sid: str, name: str) -> None:
    """Everybody on the call hears it."""
    for conference in Conference.objects.filter(pk=sid, ended_at=None):
        if not telephony().announce(conference_sid=sid, url=address_of(name, group_id=conference.group_id)):
            logger.warning("Conference %s was not told of its captions", sid)


@task(seconds=15, tries=6, longest_wait=MINUTE)
def adjust(call_id: int) -> None:
    """Has the words of one phone written down, once and in the right language, or not at all: as is wanted now. Of one
    leg no two jobs are at work, so that turning captions on and off and on again comes to what was wanted last."""
    for call in Call.objects.running().filter(pk=call_id):
        rules = GroupCall.objects.with_captions(call.group_id or 0)
        language, is_written_down = caption_language(rules) if rules else "", False
        for row in call.transcriptions.filter(stopped_at=None, sid__isnull=False).order_by("pk"):
            if is_written_down or not row.is_wanted(language):
                stop(call, row)
            else:
                is_written_down = True
        if rules and not is_written_down:
            start(call, asked(rules))


def stop(call: Call, row: Transcription) -> None:
    telephony().stop_captions(call_sid=call.sid, sid=row.sid or "")
    Transcription.objects.filter(pk=row.pk, stopped_at=None).update(stopped_at=timezone.now())


def start(call: Call, captions: Captions) -> None:
    try:
        sid = telephony().start_captions(call_sid=call.sid, captions=captions)
    except CaptionsRefused as refusal:
        if refusal.is_gone and timezone.now() < call.created_at + SETTLES:
            raise  # it is not in progress yet
        fault = Fault.GONE if refusal.is_gone else Fault.SETUP
        tell_fault(Transcription(call=call, language=captions.language), fault)
    else:
        transcription_of(sid, call, language=captions.language)


@atomic_and_retried
def transcription_of(sid: str, call: Call, *, language: str = "") -> Transcription:
    """What writes down this leg, by Twilio's id: known from the answer of having asked, or from its first event.

    Two for one leg would say everything twice: the second is stopped. Locks the leg, where it is new.
    """
    known = Transcription.objects.filter(sid=sid).first()
    if known:
        return known
    Call.objects.select_for_update(no_key=True).get(pk=call.pk)
    is_second = Transcription.objects.going_on().filter(call=call).exists()
    row, is_new = Transcription.objects.get_or_create(
        sid=sid, defaults={"call": call, "language": language[:35], "fault": Fault.SECOND if is_second else ""}
    )
    if is_new and is_second:
        adjust.enqueue(call.pk)
    elif is_new:
        see_whether_it_began.using(run_after=timezone.now() + SETTLES).enqueue(row.pk)
    return row


@task(seconds=15, tries=3)
def see_whether_it_began(transcription_id: int) -> None:
    """Whoever waits for captions in vain is told so."""
    if telephony().is_played:
        return
    silent = Transcription.objects.silent_since(timezone.now() - SETTLES).filter(call__end_time=None)
    for row in silent.filter(pk=transcription_id).select_related("call"):
        tell_fault(row, Fault.SILENT)


@atomic_and_retried
def tell_fault(row: Transcription, fault: Transcription.Fault) -> None:
    """Stores it, and says it in the group, once for the reason that holds for all. Locks the group."""
    group_id = row.call.group_id or 0
    if Group.objects.select_for_update(no_key=True).filter(pk=group_id).first() is None:
        return
    row.fault = fault
    row.save()
    rules = GroupCall.objects.with_captions(group_id)
    if rules is None:
        return
    lines.say_fault(rules, fault)
    if fault == Fault.SETUP:
        turn_off(rules, now=timezone.now())


def turn_off(rules: GroupCall, *, now: datetime) -> None:
    """While the call goes on: everybody hears it. The caller holds the group's lock."""
    rules.captions, rules.captions_changed_at, rules.captions_warned_at = False, now, None
    rules.save(update_fields=["captions", "captions_changed_at", "captions_warned_at"])
    adjust_all(rules.pk)
    announce_to_all(rules.pk, CAPTIONS_OFF)
