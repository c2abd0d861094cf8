"""How a group's captions are set, and what is typed into its call."""

from typing import Any

from rest_framework import serializers

from billing.api.serializers import ExactDollarsField
from core.wire import ChangesSerializer, FlagField, TextField

LONGEST_MESSAGE = 300
BCP_47 = "^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*\\Z"


def language_field(**kwargs: Any) -> serializers.RegexField:
    return serializers.RegexField(
        BCP_47,
        max_length=35,
        trim_whitespace=False,
        help_text="As BCP 47 writes it, such as en-US.",
        error_messages={"invalid": "Write it as BCP 47 does, such as de-DE."},
        **kwargs,
    )


class CaptionChangesSerializer(ChangesSerializer):
    on = FlagField(help_text="Whether what is said is written down, as long as the call goes on.")
    language = language_field()
    keep = FlagField(help_text="Owners: whether captions are kept, or only told on `/api/live`.")


class CaptionRulesSerializer(serializers.Serializer[Any]):
    on = serializers.BooleanField(source="captions")
    language = serializers.CharField()
    ratePerMinute = ExactDollarsField(
        source="rate_micros", help_text="Dollars, exact: what a minute of one phone's captions costs."
    )
    keep = serializers.BooleanField(source="captions_keep")


class NewMessageSerializer(serializers.Serializer[Any]):
    text = TextField(visible=True, max_length=LONGEST_MESSAGE, help_text="It is spoken in the writer's name.")
    language = language_field(required=False)
