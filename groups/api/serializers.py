"""What groups and the people around them look like on the wire."""

from decimal import Decimal
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.wire import ChangesSerializer, FlagField, TextField, stamp
from groups.models import Group
from users.api.serializers import UserIdSerializer, UserSerializer
from users.models import User

GROUP_COLUMNS = ("id", "name", "phone_number", "call_status", "created_at")


class GroupSerializer(serializers.Serializer[Group]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    phoneNumber = serializers.CharField(allow_null=True)
    callStatus = serializers.BooleanField()
    createdAt = serializers.DateTimeField()


class ContactSerializer(serializers.Serializer[User]):
    """A person inside a group's lists. Never a balance, a card, a phone number or a Stripe id."""

    id = serializers.IntegerField()
    email = serializers.CharField()
    displayName = serializers.CharField()
    firstName = serializers.CharField(allow_null=True)
    lastName = serializers.CharField(allow_null=True)
    avatar = serializers.CharField(allow_null=True)
    callStatus = serializers.BooleanField()
    billingSubcription = serializers.CharField()
    createdAt = serializers.DateTimeField()


class GroupPersonSerializer(serializers.Serializer[Any]):
    groupId = serializers.IntegerField()
    userId = serializers.IntegerField()
    displayName = serializers.CharField()


class RefSerializer(serializers.Serializer[Any]):
    groupId = serializers.IntegerField()
    GroupName = serializers.CharField()


class ActivitySerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    activity = serializers.CharField()
    createdAt = serializers.DateTimeField()
    userId = serializers.IntegerField()
    displayName = serializers.CharField()
    avatar = serializers.CharField(allow_null=True)


class CallStatusSerializer(serializers.Serializer[Any]):
    callStatus = serializers.BooleanField()


class DetailedActivitySerializer(ContactSerializer):
    activityId = serializers.IntegerField()
    activityCreatedAt = serializers.DateTimeField()
    activity = serializers.CharField()


class DetailedParticipantSerializer(ContactSerializer):
    participantCreatedAt = serializers.DateTimeField()


class DetailedOwnerSerializer(ContactSerializer):
    ownerCreatedAt = serializers.DateTimeField()


class DetailedMemberSerializer(ContactSerializer):
    memberCreatedAt = serializers.DateTimeField()


class DetailedInviteeSerializer(ContactSerializer):
    inviteeCreatedAt = serializers.DateTimeField()


class InviteeSerializer(ContactSerializer):
    """As in `groupInvitees/detailed`: the stamp's name differs from the one in a person's `detailed`."""

    inviteCreatedAt = serializers.DateTimeField()


class DetailedGroupSerializer(serializers.Serializer[Any]):
    groupCreatedAt = serializers.DateTimeField()
    groupId = serializers.IntegerField()
    groupName = serializers.CharField()
    phoneNumber = serializers.CharField(allow_null=True)
    callStatus = serializers.BooleanField()
    activities = DetailedActivitySerializer(many=True, help_text="The newest 50.")
    callParticipants = DetailedParticipantSerializer(many=True)
    owners = DetailedOwnerSerializer(many=True)
    members = DetailedMemberSerializer(many=True)
    invitees = DetailedInviteeSerializer(many=True)


class GroupOwnedSerializer(DetailedGroupSerializer):
    ownershipCreatedAt = serializers.DateTimeField()


class GroupBelongedToSerializer(DetailedGroupSerializer):
    membershipCreatedAt = serializers.DateTimeField()


class GroupInvitedToSerializer(DetailedGroupSerializer):
    inviteCreatedAt = serializers.DateTimeField()


class DetailedSerializer(UserSerializer):
    """A person's Account with everything around their groups: what the user page polls."""

    groupsOwned = GroupOwnedSerializer(many=True)
    groupsBelongedTo = GroupBelongedToSerializer(many=True)
    groupsInvitedTo = GroupInvitedToSerializer(many=True)


@extend_schema_field(
    {"oneOf": [{"type": "string", "maxLength": 12}, {"type": "integer", "minimum": 0, "maximum": 10**12 - 1}]}
)
class GroupPhoneField(TextField):
    """Text, or a number, which is kept as its digits."""

    default_error_messages = {"number": "Use digits, as text or as a whole number."}

    def to_internal_value(self, data: Any) -> str:
        if isinstance(data, Decimal) or (isinstance(data, int) and data < 0):
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


def group_shape(row: dict[str, Any]) -> dict[str, Any]:
    """A Group from a `values(*GROUP_COLUMNS)` row."""
    return {
        "id": row["id"],
        "name": row["name"],
        "phoneNumber": row["phone_number"],
        "callStatus": row["call_status"],
        "createdAt": stamp(row["created_at"]),
    }


def group_shape_of(group: Group) -> dict[str, Any]:
    return group_shape({column: getattr(group, column) for column in GROUP_COLUMNS})


CONTACT_KEYS = tuple(ContactSerializer().fields)


def contact(row: dict[str, Any]) -> dict[str, Any]:
    """A Contact from a `values(*CONTACT_COLUMNS)` row."""
    shape = dict(zip(CONTACT_KEYS, row.values(), strict=True))
    shape["createdAt"] = stamp(shape["createdAt"])
    return shape


def group_person_shape(row: dict[str, Any]) -> dict[str, Any]:
    return {"groupId": row["group_id"], "userId": row["user_id"], "displayName": row["display_name"]}


ACTIVITY_COLUMNS = ("id", "activity", "created_at", "user_id", "user__display_name", "user__avatar")
ACTIVITY_KEYS = tuple(ActivitySerializer().fields)


def activity_shape(row: dict[str, Any]) -> dict[str, Any]:
    """An Activity from a `values(*ACTIVITY_COLUMNS)` row."""
    shape = dict(zip(ACTIVITY_KEYS, row.values(), strict=True))
    shape["createdAt"] = stamp(shape["createdAt"])
    return shape
