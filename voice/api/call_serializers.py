"""A group's call, as its people see it."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from billing.api.serializers import ExactDollarsField
from core.wire import ChangesSerializer, FlagField, TextField, TimeField
from voice.models import GroupCall
from voice.sentences import ENGLISH, is_spoken


class CallChangesSerializer(ChangesSerializer):
    locked = FlagField(help_text="Whether nobody is let in.")


class EndWhenAloneSerializer(serializers.Serializer[Any]):
    endWhenAlone = serializers.BooleanField(source="end_when_alone")


class EndWhenAloneChangesSerializer(ChangesSerializer):
    endWhenAlone = FlagField(source="end_when_alone", help_text="Whether who is alone on a call is hung up on.")


class LanguageSerializer(serializers.Serializer[Any]):
    language = serializers.SerializerMethodField(help_text="In which the group is spoken to, as BCP 47 writes it.")

    @extend_schema_field(serializers.CharField())
    def get_language(self, rules: GroupCall) -> str:
        return rules.language or ENGLISH


class LanguageChangesSerializer(ChangesSerializer):
    language = TextField(max_length=35, help_text="English or German, as BCP 47 writes it: en-US, en-GB, de-DE.")

    def validate_language(self, language: str) -> str:
        if not is_spoken(language):
            raise serializers.ValidationError("We speak English and German: write en-US, en-GB, en-AU or de-DE.")
        return language


class ParticipantChangesSerializer(ChangesSerializer):
    muted = FlagField(help_text="Whether nothing is heard of them.")


class PersonOnCallSerializer(serializers.Serializer[Any]):
    userId = serializers.IntegerField(source="user_id")
    displayName = serializers.CharField(source="display_name")
    by = serializers.ChoiceField(("app", "phone"), help_text="What they joined by first.")
    muted = serializers.BooleanField(help_text="By each of their phones.")
    joinedAt = TimeField(source="joined_at", allow_null=True)


class CallStateSerializer(serializers.Serializer[Any]):
    callStatus = serializers.BooleanField(source="call_status")
    startedAt = TimeField(source="started_at", allow_null=True, help_text="Null where nobody is on.")
    locked = serializers.BooleanField(help_text="Whether nobody is let in.")
    captions = serializers.BooleanField()
    pricePerMinute = ExactDollarsField(
        source="price_micros",
        help_text="Dollars, exact, with two decimals or more: for those who are on; for two, where nobody is.",
    )
    minutesLeft = serializers.IntegerField(
        source="minutes_left", allow_null=True, help_text="Null where nobody pays, or calls need no money."
    )
    participants = PersonOnCallSerializer(many=True)
    unknownCallers = serializers.IntegerField(source="unknown_callers", help_text="Phones of nobody whom we know.")
