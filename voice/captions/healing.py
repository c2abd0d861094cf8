"""What is looked for each minute: legs whose words nobody writes down though that is wanted, or the other way round;
and words that are kept for nobody.
"""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef

from core.attempts import Attempts
from core.jobs.queue import enqueue_each
from groups.models import Caption, PartialCaption
from voice.captions.legs import MINUTE, SETTLES, adjust
from voice.captions.messages import LONGEST, settle, speak_next
from voice.models import Call, GroupCall, Transcription

STILL = timedelta(minutes=2)
"""So long nobody speaks without a word of Twilio's."""


def heal_captions(*, now: datetime) -> int:
    """How many kinds of it could not be seen to."""
    attempts = Attempts()
    for what in (adjust_legs, empty_what_is_not_kept, empty_what_was_being_said, go_on_speaking):
        with attempts.one(what.__name__.replace("_", " ")):
            what(now)
    return attempts.failed


def adjust_legs(now: datetime) -> None:
    """Not where Twilio has refused since captions were turned on: it would again."""
    rows = Transcription.objects.filter(call=OuterRef("pk"))
    on = GroupCall.objects.filter(pk=OuterRef("group_id"), captions=True)
    tried = rows.filter(asked_at__gt=OuterRef("asked"), stopped_at=None) | rows.filter(asked_at__gt=now - SETTLES)
    running = Call.objects.running().known().filter(is_on=True)
    missing = running.annotate(asked=on.values("captions_changed_at")[:1]).filter(Exists(on)).exclude(Exists(tried))
    unwanted = running.exclude(Exists(on)).filter(Exists(rows.filter(stopped_at=None, sid__isnull=False)))
    ids = {*missing.values_list("pk", flat=True), *unwanted.values_list("pk", flat=True)}
    enqueue_each(adjust, [(pk,) for pk in sorted(ids)])


def empty_what_is_not_kept(now: datetime) -> None:
    """Their numbers stay, for a time: Twilio may tell them once more."""
    Caption.objects.passing(now - MINUTE).update(text="", display_name="", user=None)


def empty_what_was_being_said(now: datetime) -> None:
    PartialCaption.objects.filter(created_at__lt=now - STILL).exclude(text="").update(text="", display_name="")


def go_on_speaking(now: datetime) -> None:
    """Where a job was lost."""
    waiting = Caption.objects.filter(spoken=Caption.Spoken.WAITING)
    late = waiting.filter(asked_at__lt=now - LONGEST - MINUTE)
    enqueue_each(settle, late.values_list("pk"))
    unspoken = waiting.filter(asked_at=None, stored_at__lt=now - MINUTE)
    enqueue_each(speak_next, unspoken.order_by("group_id").values_list("group_id").distinct())
