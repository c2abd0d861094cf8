"""Turning a group's captions on and off. They are on for the call that goes on, and for legs that come later."""

from datetime import datetime

from voice.announcements import CAPTIONS_ON
from voice.captions import lines
from voice.captions.legs import adjust_all, announce_to_all, turn_off
from voice.captions.messages import give_up_waiting
from voice.models import GroupCall


def change_captions(
    rules: GroupCall,
    *,
    by: int | None,
    now: datetime,
    on: bool | None = None,
    language: str | None = None,
    keep: bool | None = None,
) -> None:
    """What is None stays. The caller holds the group's lock."""
    was_on, speaks_another = rules.captions, language not in (None, rules.captions_language)
    rules.captions_language = rules.captions_language if language is None else language
    rules.captions_keep = rules.captions_keep if keep is None else keep
    rules.save()
    if on and not was_on:
        turn_on(rules, by=by, now=now)
    elif on is False and was_on:
        turn_off(rules, now=now)
        lines.say(rules.pk, by, lines.OFF)
    elif was_on and speaks_another:
        adjust_all(rules.pk)


def turn_on(rules: GroupCall, *, by: int | None, now: datetime) -> None:
    rules.captions, rules.captions_by, rules.captions_changed_at, rules.captions_warned_at = True, by, now, None
    rules.save()
    adjust_all(rules.pk)
    announce_to_all(rules.pk, CAPTIONS_ON)
    lines.say(rules.pk, by, lines.ON)


def end_with_call(group_id: int, *, now: datetime) -> None:
    """Nobody is on any more: captions are for one call, and what waits to be spoken is spoken to nobody."""
    off = {"captions": False, "captions_by": None, "captions_changed_at": now, "captions_warned_at": None}
    GroupCall.objects.filter(pk=group_id, captions=True).update(**off)
    give_up_waiting(group_id)
