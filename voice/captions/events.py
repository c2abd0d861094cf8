"""What Twilio tells of captions, and what is stored of it: the same, in whatever order it comes, and however often.

Final words are stored once, by Twilio's number of them; what is being said, as far as it is the newest, in one row for
each phone. Locks: what writes down the phone (its transcription), then the group's count of captions, by the database.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError

from core.transactions import atomic_and_retried
from groups.models import Caption, Group, PartialCaption
from voice.captions.legs import adjust, tell_fault, transcription_of
from voice.captions.said import CLOCKS, Said, place_in_time, read_said, when
from voice.captions.speakers import Speaker, speaker_of
from voice.models import Call, GroupCall, Transcription
from voice.telephony.fields import SID

logger = logging.getLogger(__name__)

Fault = Transcription.Fault
Params = Mapping[str, str]

SETUP_ERRORS = ("32650", "32651", "32652")
"""https://www.twilio.com/docs/api/errors/32650 and the two behind it: it is what we asked for that is refused."""
GRACE = timedelta(seconds=5)
"""What was said before captions were turned off may be told, with Twilio's time of it, a little later."""


def receive_caption_event(params: Params, *, now: datetime) -> None:
    """Stores a status callback of a real-time transcription. Never refuses an authentic one."""
    sid, call_sid = params.get("TranscriptionSid", ""), params.get("CallSid", "")
    follow = EVENTS.get(params.get("TranscriptionEvent", ""))
    calls = Call.objects.known().filter(sid=call_sid) if SID.fullmatch(call_sid) else Call.objects.none()
    call = calls.exclude(group_id=None).first()
    if follow is None or call is None or not SID.fullmatch(sid):
        logger.info("An event of captions that belong to no call of this server was left aside")
        return
    try:
        follow(transcription_of(sid, call).pk, params, now=now)
    except IntegrityError:
        logger.warning("Captions of call %s were left aside: its group or its person has just gone", call.pk)


def lock_transcription(pk: int) -> Transcription:
    rows = Transcription.objects.select_related("call").select_for_update(no_key=True, of=("self",))
    return rows.get(pk=pk)


@atomic_and_retried
def begin(pk: int, params: Params, *, now: datetime) -> None:
    row = lock_transcription(pk)
    begin_by(row, when(params.get("Timestamp", ""), begun=row.call.created_at, now=now))
    row.language = params.get("LanguageCode", "")[:35] or row.language
    row.save(update_fields=["language"])
    if not is_wanted(row, now):
        adjust.enqueue(row.call_id)


def begin_by(row: Transcription, at: datetime) -> None:
    """It has begun by then at the latest. What was thought to be silent is not."""
    if row.started_at is None or at < row.started_at or row.fault == Fault.SILENT:
        row.started_at = at if row.started_at is None else min(at, row.started_at)
        row.fault = "" if row.fault == Fault.SILENT else row.fault
        row.save(update_fields=["started_at", "fault"])


@atomic_and_retried
def hear(pk: int, params: Params, *, now: datetime) -> None:
    """Somebody speaks."""
    row = lock_transcription(pk)
    said = read_said(params, begun=row.call.created_at, now=now)
    if said is None or row.fault == Fault.SECOND:
        return
    begin_by(row, said.at)
    if not is_wanted(row, said.at):
        adjust.enqueue(row.call_id)
        return
    speaker = speaker_of(row)
    if speaker and Group.objects.filter(pk=row.call.group_id or 0).exists():
        (hear_final if said.is_final else hear_partial)(row, said, speaker, now=now)


def is_wanted(row: Transcription, at: datetime) -> bool:
    """Whether captions were on when this was said."""
    rules = GroupCall.objects.filter(pk=row.call.group_id or 0).first()
    if rules is None:
        return False
    return rules.captions or (rules.captions_changed_at is not None and at <= rules.captions_changed_at + GRACE)


def hear_partial(row: Transcription, said: Said, speaker: Speaker, *, now: datetime) -> None:
    """The newest takes the place of the one before. None comes after its final words."""
    if said.sequence_id <= row.last_final:
        return
    fields = {
        "group_id": row.call.group_id,
        "user_id": speaker.user_id,
        "display_name": speaker.name,
        "text": said.text,
        "language": said.language or row.language,
        "sequence_id": said.sequence_id,
        "created_at": said.at,
    }
    known = PartialCaption.objects.filter(pk=row.sid)
    if not known.exists():
        PartialCaption.objects.create(pk=str(row.sid), **fields)
    else:
        known.filter(sequence_id__lt=said.sequence_id).update(**fields)


def hear_final(row: Transcription, said: Said, speaker: Speaker, *, now: datetime) -> None:
    own = Caption.objects.filter(transcription=row.sid)
    if own.filter(sequence_id=said.sequence_id).exists():
        return
    if said.text:
        next_one = own.filter(sequence_id__gt=said.sequence_id).order_by("sequence_id").first()
        rules = GroupCall.objects.get(pk=row.call.group_id)
        made = Caption.objects.create(
            group_id=rules.pk,
            user_id=speaker.user_id,
            display_name=speaker.name,
            text=said.text,
            language=said.language or row.language,
            created_at=place_in_time(said.at, next_one.created_at if next_one else None),
            transcription=row.sid,
            sequence_id=said.sequence_id,
            is_kept=rules.captions_keep and settings.CAPTION_DAYS > 0,
            stored_at=now,
        )
        put_earlier_ones_before(made)
    if said.sequence_id > row.last_final:
        row.last_final = said.sequence_id
        row.save(update_fields=["last_final"])
    say_nothing(row, before=said.sequence_id)


def put_earlier_ones_before(made: Caption) -> None:
    """What the same person said before has an earlier time, also where Twilio's clock says otherwise."""
    at = made.created_at
    earlier = Caption.objects.filter(transcription=made.transcription, sequence_id__lt=made.sequence_id)
    for each in earlier.filter(created_at__gt=at - CLOCKS).order_by("-sequence_id"):
        if each.created_at < at:
            return
        each.created_at = at = place_in_time(each.created_at, at)
        each.save(update_fields=["created_at"])


def say_nothing(row: Transcription, *, before: int | None = None) -> None:
    """What was being said has been said."""
    being_said = PartialCaption.objects.filter(pk=row.sid).exclude(text="")
    if before is not None:
        being_said = being_said.filter(sequence_id__lt=before)
    being_said.update(text="", display_name="")


@atomic_and_retried
def end(pk: int, params: Params, *, now: datetime) -> None:
    row = lock_transcription(pk)
    at = when(params.get("Timestamp", ""), begun=row.call.created_at, now=now)
    row.stopped_at = min(at, row.stopped_at or at)
    row.save(update_fields=["stopped_at"])
    say_nothing(row)


def fail(pk: int, params: Params, *, now: datetime) -> None:
    """What has ended by a fault of Twilio's is begun anew within a minute (`healing.py`)."""
    end(pk, params, now=now)
    code = params.get("TranscriptionErrorCode", "")
    logger.warning("Twilio wrote nothing more down of a call: error %s", code if code.isdigit() else "unknown")
    if code in SETUP_ERRORS:
        tell_fault(Transcription.objects.select_related("call").get(pk=pk), Fault.SETUP)


EVENTS: dict[str, Callable[..., None]] = {
    "transcription-started": begin,
    "transcription-content": hear,
    "transcription-stopped": end,
    "transcription-error": fail,
}
"""https://www.twilio.com/docs/voice/twiml/transcription#statuscallbackurl"""
