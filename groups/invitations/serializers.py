"""What invitations by link look like on the wire."""

import re
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.rows import RowSerializer
from core.wire import IdField, TimeField, WholeNumberField
from users.api.serializers import PhoneNumberField

ONE_OF_THEM = "Send it to an email or to a phoneNumber, not to both."
NOBODY_NAMED = "Say who joins, by userId: nobody is signed in here."


class InvitationLinkSerializer(RowSerializer):
    id = serializers.IntegerField()
    maxUses = serializers.IntegerField(source="max_uses")
    uses = serializers.IntegerField()
    expiresAt = TimeField(source="expires_at")
    sentTo = serializers.CharField(source="sent_to", allow_null=True)


class MadeInvitationLinkSerializer(RowSerializer):
    id = serializers.IntegerField()
    url = serializers.CharField(help_text="The client's page, with the token behind it. Shown only now.")
    token = serializers.CharField(help_text="Shown only now.")
    maxUses = serializers.IntegerField(source="max_uses")
    uses = serializers.IntegerField()
    expiresAt = TimeField(source="expires_at")
    sentTo = serializers.CharField(source="sent_to", allow_null=True)


class OpenInvitationSerializer(RowSerializer):
    groupName = serializers.CharField(source="group.name")
    invitedBy = serializers.CharField(
        source="made_by.display_name", allow_null=True, help_text="Null where an operator made it, or nobody known."
    )
    expiresAt = TimeField(source="expires_at")


class CountField(WholeNumberField):
    """A whole number within bounds."""

    default_error_messages = {"out_of_range": "Use a whole number from 1 to {most}."}

    def __init__(self, *, most: int, **kwargs: Any) -> None:
        self.most = most
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> int:
        text = self.whole_number(data)
        if not (re.fullmatch("[0-9]{1,3}", text) and 1 <= int(text) <= self.most):
            self.fail("out_of_range", most=self.most)
        return int(text)


@extend_schema_field({"type": "integer", "minimum": 1, "maximum": 100, "default": 1})
class MaxUsesField(CountField):
    pass


@extend_schema_field({"type": "integer", "minimum": 1, "maximum": 30, "default": 7})
class DaysField(CountField):
    pass


class NewInvitationLinkSerializer(serializers.Serializer[Any]):
    email = serializers.EmailField(
        required=False, allow_null=True, max_length=128, trim_whitespace=False, help_text="Where it is sent."
    )
    phoneNumber = PhoneNumberField(source="phone_number", required=False, allow_null=True)
    maxUses = MaxUsesField(source="max_uses", most=100, default=1)
    expiresInDays = DaysField(source="days", most=30, default=7)

    def validate(self, sent: dict[str, Any]) -> dict[str, Any]:
        email, number = sent.pop("email", None), sent.pop("phone_number", None)
        if email and number:
            raise serializers.ValidationError({"phoneNumber": ONE_OF_THEM})
        return {**sent, "sent_to": email or (f"+{number}" if number else None)}


class AcceptanceSerializer(serializers.Serializer[Any]):
    userId = IdField(required=False, help_text="In open mode: who joins.")
