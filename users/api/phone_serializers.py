"""A telephone that is to be verified, and a code, on the wire."""

import re
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.phone_numbers import NO_SUCH_NUMBER, costs_extra, e164, is_country
from core.rows import RowSerializer
from core.wire import TimeField, WholeNumberField
from users.models import PendingVerification

NO_COUNTRY = "Use a country's two letters, such as US or MX."
COSTS_EXTRA = "To ring this number costs extra. Use an ordinary telephone's."
NO_CODE = "Type the code: its digits, which are 4 to 10."


@extend_schema_field(
    {
        "type": "string",
        "maxLength": 40,
        "description": "Whole, with the country code, or as it is dialled in `country`.",
    }
)
class WrittenNumberField(WholeNumberField):
    """A number as people write it; read with its country, once both are known."""

    default_error_messages = {"invalid": NO_SUCH_NUMBER}

    def to_internal_value(self, data: Any) -> Any:
        text = self.whole_number(data)
        if not 0 < len(text) <= 40:
            self.fail("invalid")
        return text


@extend_schema_field({"type": "string", "pattern": "^[0-9]{4,10}$", "description": "Spaces in it are passed over."})
class CodeField(WholeNumberField):
    default_error_messages = {"invalid": NO_CODE}

    def to_internal_value(self, data: Any) -> Any:
        text = re.sub(r"[\s-]", "", self.whole_number(data))
        if not re.fullmatch("[0-9]{4,10}", text):
            self.fail("invalid")
        return text


class StartVerificationSerializer(serializers.Serializer[Any]):
    phoneNumber = WrittenNumberField()
    country = serializers.CharField(
        required=False, allow_null=True, min_length=2, max_length=2, help_text="ISO 3166, two letters: US, MX."
    )
    channel = serializers.ChoiceField(PendingVerification.Channel.choices)

    def validate_country(self, country: str | None) -> str | None:
        if country and not is_country(country.upper()):
            raise serializers.ValidationError(NO_COUNTRY)
        return country.upper() if country else None

    def validate(self, sent: dict[str, Any]) -> dict[str, Any]:
        number = e164(sent["phoneNumber"], sent.get("country"))
        if number is None:
            raise serializers.ValidationError({"phoneNumber": NO_SUCH_NUMBER})
        if costs_extra(number):
            raise serializers.ValidationError({"phoneNumber": COSTS_EXTRA})
        return {"number": number, "channel": sent["channel"]}


class CheckCodeSerializer(serializers.Serializer[Any]):
    code = CodeField()


class PendingVerificationSerializer(RowSerializer):
    phoneNumber = serializers.CharField(source="number")
    channel = serializers.CharField()
    expiresAt = TimeField(source="expires_at")


class VerifiedNumberSerializer(serializers.Serializer[Any]):
    phoneNumber = serializers.CharField(source="number", allow_null=True, help_text="E.164, with the plus.")
    verifiedAt = TimeField(source="verified_at", allow_null=True)
