"""What groups and the people around them look like on the wire."""

from decimal import Decimal
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.rows import RowSerializer
from core.wire import ChangesSerializer, FlagField, TextField, TimeField, whole_number
from groups.models import Group
from users.api.serializers import UserIdSerializer


class GroupSerializer(RowSerializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    phoneNumber = serializers.CharField(source="phone_number", allow_null=True)
    callStatus = serializers.BooleanField(source="call_status")
    createdAt = TimeField(source="created_at")


class GroupPersonSerializer(RowSerializer):
    groupId = serializers.IntegerField(source="group_id")
    userId = serializers.IntegerField(source="user_id")
    displayName = serializers.CharField(source="user.display_name")


class RefSerializer(RowSerializer):
    groupId = serializers.IntegerField(source="group_id")
    GroupName = serializers.CharField(source="group.name")


class ActivitySerializer(RowSerializer):
    id = serializers.IntegerField()
    activity = serializers.CharField()
    createdAt = TimeField(source="created_at")
    userId = serializers.IntegerField(source="user_id")
    displayName = serializers.CharField(source="user.display_name")
    avatar = serializers.CharField(source="user.avatar", allow_null=True)


class CaptionSerializer(RowSerializer):
    id = serializers.IntegerField()
    userId = serializers.IntegerField(source="user_id", allow_null=True, help_text="Null for a caller nobody knows.")
    displayName = serializers.CharField(source="display_name", help_text="As it was then.")
    text = serializers.CharField(help_text="Plain text, and nobody's markup.")
    language = serializers.CharField(help_text="As BCP 47 writes it.")
    createdAt = TimeField(source="created_at", help_text="When it was said: the order of all captions.")
    typed = serializers.BooleanField()
    spoken = serializers.CharField(
        allow_null=True, help_text="Of typed words, whether the call has heard them: `waiting`, `spoken`, `notSpoken`."
    )
    why = serializers.CharField(allow_null=True, help_text="Why not, in a sentence.")


class CallStatusSerializer(RowSerializer):
    callStatus = serializers.BooleanField(source="call_status")


@extend_schema_field({"type": "string", "maxLength": 12, "description": "Also as a whole number, kept as its digits."})
class GroupPhoneField(TextField):
    """Text, or a number, which is kept as its digits."""

    default_error_messages = {"number": "Use digits, as text or as a whole number."}

    def to_internal_value(self, data: Any) -> str:
        if isinstance(data, Decimal | int) and not isinstance(data, bool):
            data = whole_number(data)
            if not data.isdigit():
                self.fail("number")
        return super().to_internal_value(data)


class NewActivitySerializer(UserIdSerializer):
    activity = TextField(visible=True, max_length=128)


class NewGroupSerializer(serializers.Serializer[Group]):
    name = TextField(visible=True, max_length=128)
    phoneNumber = GroupPhoneField(source="phone_number", required=False, allow_null=True, max_length=12)
    callStatus = FlagField(source="call_status", required=False)


class CallStatusChangeSerializer(ChangesSerializer):
    callStatus = FlagField(source="call_status")

    def update(self, group: Group, changes: dict[str, Any]) -> Group:
        """Writes only the columns that were sent, so that two changes at once do not undo each other."""
        if changes.get("call_status", group.call_status) != group.call_status:
            changes["call_status_at"] = timezone.now()
        if changes:
            Group.objects.filter(pk=group.pk).update(**changes)
            group.refresh_from_db()
        return group


class GroupChangesSerializer(CallStatusChangeSerializer):
    name = TextField(visible=True, max_length=128)
    phoneNumber = GroupPhoneField(source="phone_number", allow_null=True, max_length=12)
