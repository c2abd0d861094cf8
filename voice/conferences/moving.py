"""Who steps out of a conference on which they are alone ends it, and comes back to another one of the same group: the
call goes on there, and with it all that it was.
"""

from collections.abc import Collection

from voice.models import JOIN, Call, Conference, ConferenceEvent

OF_THE_CONFERENCE = ("menu_at", "menu_after", "seen_on", "seen_after", "muted_told", "muted_after")
"""What stands between two of its events."""


def bring_over(sids: Collection[str], conference: Conference) -> bool:
    """Those of these legs that stand on another conference of the group's, and have joined this one later; whether
    there are any.

    Runs under this conference's lock. The other one needs none: who reads its legs locks them, and finds them gone.
    """
    elsewhere = Call.objects.filter(sid__in=sids, conference__group_id=conference.group_id).exclude(
        conference=conference
    )
    came_over = False
    for call in elsewhere.order_by("pk").select_for_update(no_key=True, of=("self",)):
        if newest_conference(call.sid, [call.conference_id or "", conference.sid]) == conference.sid:
            carry_on(conference, Conference.objects.get(pk=call.conference_id or ""))
            call.conference, came_over = conference, True
            for name in OF_THE_CONFERENCE:
                setattr(call, name, None)
            call.save(update_fields=["conference", *OF_THE_CONFERENCE])
    return came_over


def newest_conference(sid: str, conferences: list[str]) -> str | None:
    """Which of these a leg has joined last: its label says which time it was, and where that is missing the clock."""
    joins = ConferenceEvent.objects.filter(conference__in=conferences, kind=JOIN, call_sid=sid)
    known = list(joins.exclude(sequence_number=None))
    newest = max(known, key=lambda join: (entry_of(join), join.happened_at or join.created_at, join.pk), default=None)
    return newest.conference_id if newest else None


def entry_of(join: ConferenceEvent) -> int:
    """leg_7 is the first time, leg_7_2 the second."""
    _, _, entry = str(join.payload.get("ParticipantLabel", "")).removeprefix("leg_").partition("_")
    return int(entry) if entry.isascii() and entry.isdigit() and len(entry) < 6 else 1


def carry_on(conference: Conference, before: Conference) -> None:
    """The call has begun when it did, and its group was told; whoever steps out at once may not have been announced."""
    if before.ended_at:
        return
    conference.created_at = min(conference.created_at, before.created_at)
    due = Conference.Announcement.DUE
    untold = Conference.objects.filter(pk=before.pk, announcement=due)
    if conference.notified_at is None and not untold.update(announcement=Conference.Announcement.SPARED):
        conference.notified_at, conference.announcement = before.notified_at, before.announcement
