"""Muting people on a call, and letting them be heard again. Twilio does it, and is asked outside of transactions."""

from collections.abc import Callable

from django.db.models import Max
from django.shortcuts import get_object_or_404
from rest_framework.exceptions import APIException

from core.transactions import atomic_and_retried
from groups.services import lock_group
from users.models import User
from voice.conferences.muted import learn_muted
from voice.models import Call
from voice.telephony.interface import telephony


class NotOnCall(APIException):
    status_code = 409
    default_code = "not_on_call"
    default_detail = "This person is not on the group's call, so that they cannot be muted or unmuted."


def mute(*, group_id: int, user_id: int, muted: bool, check: Callable[[], None]) -> None:
    """Mutes each phone by which somebody is on the call, or none. Twice is once.

    Raises Http404 where there is no such person, NotOnCall, and what telephony raises: then Twilio may have done it
    for some of several phones, and tells so.
    """
    known = [mute_leg(leg, muted=muted) for leg in legs_of(group_id=group_id, user_id=user_id, check=check)]
    if not any(known):
        raise NotOnCall


@atomic_and_retried
def legs_of(*, group_id: int, user_id: int, check: Callable[[], None]) -> list[Call]:
    group = lock_group(group_id)
    check()
    get_object_or_404(User, pk=user_id)
    on = Call.objects.filter(group_id=group.pk, user_id=user_id, is_on=True).exclude(conference=None)
    return list(on.annotate(known=Max("conference__events__sequence_number")).order_by("pk"))


def mute_leg(leg: Call, *, muted: bool) -> bool:
    """Whether Twilio knows it on its conference, or it will be: who is in the menu of their keypad comes back so. What
    was done is noted at once: its own event may come later."""
    is_known = telephony().mute(conference_sid=leg.conference_id or "", call_sid=leg.sid, muted=muted)
    is_out = bool(Call.objects.filter(pk=leg.pk, out_since__isnull=False).update(let_in_muted=muted))
    if is_known or is_out:
        learn_muted(Call.objects.filter(pk=leg.pk), {leg.sid: muted}, after=leg.known or 0)  # type: ignore[attr-defined]  # annotated
    return is_known or is_out
