"""A leg that steps out into the menu, and what it has settled there. Its call goes on, and with it what it costs."""

from datetime import datetime

from django.db.models import Max

from voice.conferences.events import change_leg
from voice.conferences.muted import muted_among
from voice.entering import Entry
from voice.models import Call


def leg_in_menu(entry: Entry, *, now: datetime) -> Call | None:
    """The leg, which may be on the call as before. None for one that has ended, or is to; for whom a lock came
    meanwhile, it keeps nobody out who was let in."""
    known = Call.objects.filter(pk=entry.leg, sid=entry.sid)
    for leg in known:
        change_leg(leg, lambda row: note_menu(row, entry, now=now), now=now)
    may_stay = known.running().exclude(pk__in=known.to_be_hung_up()).exclude(pk__in=known.unwelcome().values("pk"))
    return may_stay.first()


def note_menu(row: Call, entry: Entry, *, now: datetime) -> bool:
    """That it has stepped out, and whether it was muted. Twilio may ask twice: the first time counts."""
    if row.end_time or entry.number < row.entry:
        return False
    told = row.conference.events.aggregate(highest=Max("sequence_number")) if row.conference else {}
    row.entry, row.menu_at, row.menu_after, row.heard_at = entry.number + 1, now, told.get("highest") or 0, now
    row.let_in_muted = bool(muted_among(Call.objects.filter(pk=row.pk)))
    return True


def settle(leg: Call, **wish: bool) -> None:
    """What somebody wants for themself: once more, it is the same."""
    Call.objects.filter(pk=leg.pk).update(**wish)
    for name, value in wish.items():
        setattr(leg, name, value)
