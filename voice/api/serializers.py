"""The bodies of the voice routes, and what they answer."""

from typing import Any

from rest_framework import serializers

from core.wire import MICROS_PER_DOLLAR, IdField, stamp
from voice.models import Call


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


class GroupChargesSerializer(serializers.Serializer[Any]):
    sumOfGroupTwilioCharges = serializers.FloatField(help_text="Dollars, negative.")


class CallChargeSerializer(serializers.Serializer[Call]):
    sid = serializers.CharField()
    # `from` is a word of Python: declared below
    to = serializers.CharField()
    price = serializers.FloatField(allow_null=True, help_text="Dollars, negative; null until Twilio knows it.")
    priceUnit = serializers.CharField()
    duration = serializers.IntegerField(allow_null=True, help_text="Seconds.")
    startTime = serializers.DateTimeField(allow_null=True)
    endTime = serializers.DateTimeField(allow_null=True)
    status = serializers.CharField()
    direction = serializers.CharField()
    groupId = serializers.IntegerField(allow_null=True)
    userId = serializers.IntegerField(allow_null=True)

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        return {"sid": fields.pop("sid"), "from": serializers.CharField(), **fields}


class AllChargesSerializer(serializers.Serializer[Any]):
    allTwilioChargesRes = CallChargeSerializer(many=True)
    total = serializers.FloatField(help_text="Dollars, negative: of all calls, not only those on this page.")


CHARGE_COLUMNS = (
    "id",
    "sid",
    "caller",
    "called",
    "price_micros",
    "price_unit",
    "duration",
    "start_time",
    "end_time",
    "status",
    "direction",
    "group_id",
    "user_id",
)


def charge_shape(row: dict[str, Any]) -> dict[str, Any]:
    """A call as `allTwilioCharges` shows it, from a `values(*CHARGE_COLUMNS)` row."""
    return {
        "sid": row["sid"],
        "from": row["caller"],
        "to": row["called"],
        "price": None if row["price_micros"] is None else row["price_micros"] / MICROS_PER_DOLLAR,
        "priceUnit": row["price_unit"],
        "duration": row["duration"],
        "startTime": stamp(row["start_time"]) if row["start_time"] else None,
        "endTime": stamp(row["end_time"]) if row["end_time"] else None,
        "status": row["status"],
        "direction": row["direction"],
        "groupId": row["group_id"],
        "userId": row["user_id"],
    }
