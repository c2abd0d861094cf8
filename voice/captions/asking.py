"""What is asked of Twilio, where what is said on a group's call is to be written down."""

from django.conf import settings
from django.db.models import Q

from core.legible import NOTHING, legible
from groups.models import Membership, Ownership
from users.models import User
from voice.languages import language_of
from voice.models import GroupCall
from voice.telephony.interface import Captions

CALLBACK = "/api/voice/captionEvents#rc=5&rp=all"
"""Told again where it could not be stored: https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides"""
MOST_HINTS, LONGEST_HINT = 100, 50


def captions_for(group_id: int) -> Captions | None:
    """For a leg that is let in at this moment. None where captions are off."""
    rules = GroupCall.objects.with_captions(group_id)
    return asked(rules) if rules else None


def asked(rules: GroupCall) -> Captions:
    return Captions(caption_language(rules), f"{settings.PUBLIC_URL}{CALLBACK}", hints(rules.pk))


def caption_language(rules: GroupCall) -> str:
    """As settled for captions, else as the group is spoken to."""
    return rules.captions_language or language_of([rules.pk])


def hints(group_id: int) -> tuple[str, ...]:
    """The names of the people in the group: they are said most, and no dictionary has them."""
    members, owners = (each.objects.filter(group=group_id).values("user_id") for each in (Membership, Ownership))
    people = User.objects.filter(Q(pk__in=members) | Q(pk__in=owners)).order_by("pk")
    names = (legible(name).replace(",", " ")[:LONGEST_HINT] for name in people.values_list("display_name", flat=True))
    return tuple(dict.fromkeys(name for name in names if name != NOTHING))[:MOST_HINTS]
