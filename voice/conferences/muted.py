"""Who is muted on a call: what Twilio has told of each leg last, in whatever order it came.

Nothing is kept of it but the events, and what Twilio said when it was asked: so it is right whenever it is read.
"""

from collections.abc import Mapping

from django.db.models import OuterRef, Q, QuerySet, Subquery

from voice.conferences.fold import MutedTold, NumberedEvent, is_muted
from voice.models import Call, ConferenceEvent


def muted_among(calls: QuerySet[Call]) -> set[int]:
    """The ids of those of these legs that are muted."""
    own = ConferenceEvent.objects.filter(conference=OuterRef("conference"), call_sid=OuterRef("sid"))
    newest = dict(calls.annotate(newest=Subquery(own.about_muting().values("pk")[:1])).values_list("pk", "newest"))
    events = ConferenceEvent.objects.in_bulk([pk for pk in newest.values() if pk])
    return {call.pk for call in calls if is_muted(last(events.get(newest[call.pk] or 0), call), told(call))}


def last(event: ConferenceEvent | None, call: Call) -> list[NumberedEvent]:
    """Where Twilio does not say how it let somebody in, it did as it was told."""
    if event is None or event.sequence_number is None:
        return []
    was_let_in_muted = event.payload.get("Muted", "true" if call.let_in_muted else "false") == "true"
    return [NumberedEvent(event.sequence_number, event.kind, event.call_sid, muted=was_let_in_muted)]


def told(call: Call) -> MutedTold | None:
    return None if call.muted_told is None else MutedTold(call.muted_after or 0, call.muted_told)


def learn_muted(calls: QuerySet[Call], muted: Mapping[str, bool], *, after: int) -> None:
    """Stores what Twilio said of these legs, by their sids, as of event number `after`; nothing that is older."""
    older = calls.filter(Q(muted_after=None) | Q(muted_after__lte=after))
    for said in (True, False):
        sids = sorted(sid for sid, each in muted.items() if each is said)
        older.filter(sid__in=sids).update(muted_told=said, muted_after=after)
