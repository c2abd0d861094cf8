"""The bodies of the voice routes, and what they answer."""

from typing import Any

from rest_framework import serializers

from core.rows import RowSerializer
from core.wire import MICROS_PER_DOLLAR, IdField, TimeField


class TokenSerializer(serializers.Serializer[Any]):
    token = serializers.CharField()
    identity = serializers.CharField()


class MakeCallSerializer(serializers.Serializer[Any]):
    """What Twilio posts (it adds more), or a person who tries it by hand."""

    to = IdField(required=False, help_text="The group's id.")
    From = serializers.CharField(required=False, help_text="`client:u_<person's id>`")
    CallSid = serializers.CharField(required=False)


class GroupChargesQuerySerializer(serializers.Serializer[Any]):
    groupId = IdField()


class PriceField(serializers.FloatField):
    """Micro-dollars as a number of dollars."""

    def to_representation(self, value: float) -> float:  # type: ignore[override]  # the stubs say text
        return value / MICROS_PER_DOLLAR


class GroupChargesSerializer(serializers.Serializer[Any]):
    sumOfGroupTwilioCharges = PriceField(source="price_micros", help_text="Dollars, negative.")


class CallChargeSerializer(RowSerializer):
    sid = serializers.CharField()
    # `from` is a word of Python: declared below
    to = serializers.CharField(source="called")
    price = PriceField(
        source="price_micros", allow_null=True, help_text="Dollars, negative; null until Twilio knows it."
    )
    priceUnit = serializers.CharField(source="price_unit")
    duration = serializers.IntegerField(allow_null=True, help_text="Seconds.")
    startTime = TimeField(source="start_time", allow_null=True)
    endTime = TimeField(source="end_time", allow_null=True)
    status = serializers.CharField()
    direction = serializers.CharField()
    groupId = serializers.IntegerField(source="group_id", allow_null=True)
    userId = serializers.IntegerField(source="user_id", allow_null=True)

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        return {"sid": fields.pop("sid"), "from": serializers.CharField(source="caller"), **fields}


class AllChargesSerializer(serializers.Serializer[Any]):
    allTwilioChargesRes = CallChargeSerializer(many=True, source="calls")
    total = PriceField(source="price_micros", help_text="Dollars, negative: of all calls, not only those on this page.")
