"""Whose words they are: the leg's."""

from typing import NamedTuple

from django.db.models import Max, Q

from groups.models import CaptionCount
from users.models import User
from voice.models import Call, Transcription

UNKNOWN = "Caller {number}"


class Speaker(NamedTuple):
    user_id: int | None
    name: str


def speaker_of(row: Transcription) -> Speaker | None:
    """None where the person is gone: nothing more is kept of them. `row` is locked."""
    if row.call.user_id is None:
        return Speaker(None, UNKNOWN.format(number=number_of(row)))
    person = User.objects.filter(pk=row.call.user_id).only("display_name").first()
    return Speaker(person.pk, person.display_name) if person else None


def number_of(row: Transcription) -> int:
    """The same for a phone as long as it is on. Those of one call are counted in the order in which they speak: under
    the lock of the group's count, or two who speak at once would be one."""
    if row.caller_number is None:
        row.caller_number = earlier(row) or next_number(row)
        row.save(update_fields=["caller_number"])
    return row.caller_number


def earlier(row: Transcription) -> int | None:
    """Captions of this phone may have been off for a while."""
    own = Transcription.objects.filter(call=row.call_id, caller_number__isnull=False).first()
    return own.caller_number if own else None


def next_number(row: Transcription) -> int:
    CaptionCount.objects.get_or_create(pk=row.call.group_id)
    CaptionCount.objects.select_for_update(no_key=True).get(pk=row.call.group_id)
    same = Q(conference=row.call.conference_id) if row.call.conference_id else Q(pk=row.call_id)
    calls = Call.objects.filter(same | Q(end_time=None), group_id=row.call.group_id)
    found = Transcription.objects.filter(call__in=calls).aggregate(highest=Max("caller_number"))["highest"]
    return (found or 0) + 1
