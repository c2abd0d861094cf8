"""What a person looks like on the wire, and what may be written about them."""

import re
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.phone_numbers import NO_SUCH_NUMBER, is_phone_number
from core.picture_addresses import NO_PICTURE_ADDRESS, is_picture_address
from core.rows import Row, RowSerializer, Shape
from core.wire import BalanceField, ChangesSerializer, FlagField, IdField, TextField, TimeField, WholeNumberField
from users.callers import Caller, is_whole_for
from users.models import User
from users.signals import avatar_replaced


class UserSerializer(RowSerializer):
    """A person as seen by themself, by staff, or by anyone in open mode."""

    id = serializers.IntegerField()
    email = serializers.CharField()
    displayName = serializers.CharField(source="display_name")
    firstName = serializers.CharField(source="first_name", allow_null=True)
    lastName = serializers.CharField(source="last_name", allow_null=True)
    avatar = serializers.CharField(allow_null=True)
    phoneNumber = serializers.IntegerField(source="phone_number", allow_null=True)
    callStatus = serializers.BooleanField(source="call_status")
    stripeId = serializers.CharField(source="stripe_id", allow_null=True)
    billingSubcription = serializers.CharField(source="billing_subscription")
    accountBalance = BalanceField(source="account_balance_micros")
    last4 = serializers.CharField(allow_null=True)
    createdAt = TimeField(source="created_at")


class ProfileSerializer(RowSerializer):
    """A person as seen by another who is signed in."""

    id = serializers.IntegerField()
    displayName = serializers.CharField(source="display_name")
    avatar = serializers.CharField(allow_null=True)
    callStatus = serializers.BooleanField(source="call_status")
    createdAt = TimeField(source="created_at")


class PersonSerializer(UserSerializer):
    """A person as the caller may see them: whole as a User, or of others who are signed in the required keys alone."""

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        for name in fields.keys() - ProfileSerializer().fields.keys():
            fields[name].required = False
        return fields


def shape_for(caller: Caller, row: Row) -> Shape:
    """What the caller may see of a person: oneself whole, another's Profile; staff see everybody whole."""
    return (UserSerializer if is_whole_for(caller, row["id"]) else ProfileSerializer).shape(row)


class SearchSerializer(serializers.Serializer[Any]):
    search = TextField(required=False, max_length=128, help_text="Part of a display name, or a whole email.")


class SignUpSerializer(serializers.Serializer[Any]):
    """Clients post their whole identity token's payload: what is not named here is ignored."""

    email = serializers.EmailField(max_length=128, trim_whitespace=False)
    nickname = TextField(required=False, allow_null=True, visible=True, max_length=128)
    displayName = TextField(required=False, allow_null=True, visible=True, max_length=128)
    picture = TextField(
        required=False, allow_null=True, max_length=256, help_text="What is no https address counts as no picture."
    )

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        sent = super().to_internal_value(data)
        name = sent.get("nickname") or sent.get("displayName") or sent["email"].partition("@")[0]
        picture = sent.get("picture") if is_picture_address(sent.get("picture") or "") else None
        return {"email": sent["email"], "display_name": name, "avatar": picture}


@extend_schema_field(
    {
        "type": "integer",
        "minimum": 1,
        "maximum": 10**15 - 1,
        "nullable": True,
        "description": "The digits of the E.164 number; also as text, with a plus before them or not.",
    }
)
class PhoneNumberField(WholeNumberField):
    """An E.164 number as an integer: its digits without the plus. https://www.itu.int/rec/T-REC-E.164

    It must be somebody's by libphonenumber: what stands for withheld numbers would let every such caller in as them.
    """

    default_error_messages = {
        "invalid": "Use the international form: up to 15 digits, with the country code, such as +12025550123.",
        "nobodys": NO_SUCH_NUMBER,
    }

    def to_internal_value(self, data: Any) -> int:
        text = self.whole_number(data)
        if not re.fullmatch(r"\+?[1-9][0-9]{0,14}", text):
            self.fail("invalid")
        if not is_phone_number(text.removeprefix("+")):
            self.fail("nobodys")
        return int(text)


class AvatarField(TextField):
    default_error_messages = {"no_address": NO_PICTURE_ADDRESS, "invisible": NO_PICTURE_ADDRESS}

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if not is_picture_address(text):
            self.fail("no_address")
        return text


class UserChangesSerializer(ChangesSerializer):
    displayName = TextField(source="display_name", visible=True, max_length=128)
    firstName = TextField(source="first_name", allow_null=True, max_length=128)
    lastName = TextField(source="last_name", allow_null=True, max_length=128)
    avatar = AvatarField(visible=True, allow_null=True, max_length=256, help_text="An https address, or null.")
    phoneNumber = PhoneNumberField(source="phone_number", allow_null=True)
    callStatus = FlagField(source="call_status")
    billingSubcription = TextField(source="billing_subscription", visible=True, max_length=128)

    def update(self, user: User, changes: dict[str, Any]) -> User:
        """Writes only the columns that were sent, so that two changes at once do not undo each other."""
        if changes.get("call_status", user.call_status) != user.call_status:
            changes["call_status_at"] = timezone.now()
        old = user.avatar
        if changes:
            User.objects.filter(pk=user.pk).update(**changes)
            user.refresh_from_db()
        if old and user.avatar != old:
            avatar_replaced.send(sender=User, user=user, old=old)
        return user


class NotificationChoicesSerializer(serializers.Serializer[Any]):
    """By which ways a person wants to be told."""

    push = serializers.BooleanField(help_text="On their phones and in their browsers.")
    email = serializers.BooleanField(help_text="About money and invitations.")
    sms = serializers.BooleanField(help_text="Off until they turn it on; STOP in an answer turns it off.")


class NotificationChangesSerializer(ChangesSerializer):
    push = FlagField()
    email = FlagField()
    sms = FlagField()


class UserIdSerializer(serializers.Serializer[Any]):
    """The body that names a person."""

    userId = IdField()


class CountSerializer(serializers.Serializer[Any]):
    count = serializers.CharField(help_text="A sentence, such as `1 user deleted`.")
