"""What a person is told of dialling in, and what Twilio posts of a call that does."""

from typing import Any

from rest_framework import serializers

from core.wire import IdField


class DialInSerializer(serializers.Serializer[Any]):
    numbers = serializers.ListField(child=serializers.CharField(), help_text="To dial; the group's own come first.")
    pin = serializers.CharField(
        allow_null=True, help_text="Eight digits, the person's own in this group; null for who has no part in it."
    )
    knownCaller = serializers.BooleanField(
        help_text="Whether the person has verified a number, and so walks in where its network vouches for it."
    )


class WhoseDialInSerializer(serializers.Serializer[Any]):
    userId = IdField(required=False, help_text="In open mode, whose. Else it is the caller's, whatever stands here.")


class DialInCallSerializer(serializers.Serializer[Any]):
    """What Twilio posts (it adds more). https://www.twilio.com/docs/voice/twiml#request-parameters"""

    CallSid = serializers.CharField(required=False)
    From = serializers.CharField(required=False, help_text="The caller's number.")
    To = serializers.CharField(required=False, help_text="The number that was dialled.")
    StirVerstat = serializers.CharField(required=False, help_text="Whether the caller's network vouches for it.")
    Digits = serializers.CharField(required=False, help_text="The keys that were pressed.")


class KeypadSerializer(serializers.Serializer[Any]):
    """What Twilio posts (it adds more). https://www.twilio.com/docs/voice/twiml/dial#action"""

    CallSid = serializers.CharField(required=False)
    CallStatus = serializers.CharField(required=False, help_text="Of the call, which goes on in the menu.")
    DialCallStatus = serializers.CharField(required=False, help_text="How the leg came out of its conference.")
    Digits = serializers.CharField(required=False, help_text="The key that was pressed.")
