"""Whom somebody has rung, and what came of it."""

from typing import Any

from rest_framework import serializers

from core.wire import IdField
from voice.api.dial_in_serializers import DialInCallSerializer

MOST_AT_ONCE = 100
WHY = ("onCall", "alreadyRinging", "noWay", "country", "limit", "noCredit", "locked")


class RingSerializer(serializers.Serializer[Any]):
    userIds = serializers.ListField(
        child=IdField(),
        required=False,
        allow_empty=False,  # says it in words; the least length is for the document
        min_length=1,
        max_length=MOST_AT_ONCE,
        help_text="People of the group, oneself too; without it all others who are not on the call.",
    )


class RungSerializer(serializers.Serializer[Any]):
    userId = serializers.IntegerField()
    by = serializers.ListField(child=serializers.ChoiceField(("app", "phone")))


class SkippedSerializer(serializers.Serializer[Any]):
    userId = serializers.IntegerField()
    why = serializers.ChoiceField(WHY)


class RingAnswerSerializer(serializers.Serializer[Any]):
    ringing = RungSerializer(many=True)
    skipped = SkippedSerializer(many=True)


class RungCallSerializer(DialInCallSerializer):
    """What Twilio posts of who is rung and answers. The leg stands in the address."""
