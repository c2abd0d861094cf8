"""The bodies of the routes about devices, and what they answer."""

from collections.abc import Iterable
from typing import Any

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers
from rest_framework.utils import html

from core.conference_names import group_of_conference
from core.wire import LARGEST_ID, ConstantField, IdField, TextField, whole_number
from groups.models import Device
from groups.notifications.announcements import CALL_STARTED
from groups.notifications.subscriptions import LONGEST, NO_SUBSCRIPTION, canonical, read_subscription

MOST_OF_A_TOKEN = 512
TOO_LONG = f"A token has at most {MOST_OF_A_TOKEN} characters."
NO_NAME = "Name the device by its endpoint, or by its Address."
MOST_TAGS = 20
"""https://www.twilio.com/docs/notify/api/binding-resource"""


@extend_schema_field(
    {
        "type": "array",
        "items": {"type": "integer", "minimum": 0, "maximum": LARGEST_ID},
        "maxItems": MOST_TAGS,
        "description": "Group ids. Also one alone, or as text with commas between.",
    }
)
class TagsField(serializers.Field[list[int], Any, list[str], Any]):
    """Group ids: one, a string with commas, or a list."""

    default_error_messages = {"too_many": f"Name at most {MOST_TAGS} groups."}

    def get_value(self, dictionary: Any) -> Any:
        if hasattr(dictionary, "getlist"):
            return dictionary.getlist(self.field_name) or serializers.empty
        return super().get_value(dictionary)

    def to_internal_value(self, data: Any) -> list[int]:
        parts: Iterable[Any] = data if isinstance(data, list) else [data]
        words = [word for part in parts for word in (part.split(",") if isinstance(part, str) else [part])]
        words = [word.strip() if isinstance(word, str) else word for word in words]
        is_form = html.is_html_input(getattr(self.root, "initial_data", None))
        ids = [IdField().to_internal_value(whole_number(word, is_form=is_form)) for word in words if word != ""]
        if len(ids) > MOST_TAGS:
            self.fail("too_many")
        return ids

    def to_representation(self, value: Any) -> list[str]:
        return [str(each) for each in value]


class AddressSerializer(serializers.Serializer[Any]):
    """Where a device is: its token, or the subscription of a browser, as JSON text."""

    Address = TextField(
        required=False,
        visible=True,
        max_length=LONGEST,
        help_text="The device's token, up to 512; of a browser its push subscription as JSON text. "
        "It may also be called `address`.",
    )
    address = TextField(required=False, visible=True, max_length=LONGEST)


class OwnBindingSerializer(AddressSerializer):
    """A device of who is signed in."""

    BindingType = serializers.ChoiceField(Device.BindingType.choices, required=False, default=Device.BindingType.APN)
    tags = TagsField(required=False, default=list)
    endpoint = TextField(required=False, allow_null=True, visible=True, max_length=128)

    def validate(self, sent: dict[str, Any]) -> dict[str, Any]:
        address = sent.get("Address") or sent.get("address")
        if not address:
            raise serializers.ValidationError({"Address": ["This field is required."]})
        return {
            "address": usable(address, sent["BindingType"]),
            "binding_type": sent["BindingType"],
            "endpoint": sent.get("endpoint"),
            "tags": sent["tags"],
        }


def usable(address: str, binding_type: str) -> str:
    """An address as it is kept. Raises ValidationError for one that no device of this kind has."""
    if binding_type == Device.BindingType.WEBPUSH:
        try:
            read_subscription(address)
        except ValueError:
            raise serializers.ValidationError({"Address": [NO_SUBSCRIPTION]}) from None
        return canonical(address)
    if len(address) > MOST_OF_A_TOKEN:
        raise serializers.ValidationError({"Address": [TOO_LONG]})
    return address


@extend_schema_serializer(exclude_fields=["address"])
class UnregisterBindingSerializer(AddressSerializer):
    """One of the two, or both."""

    endpoint = TextField(required=False, visible=True, max_length=128)

    def validate(self, sent: dict[str, Any]) -> dict[str, Any]:
        address, endpoint = sent.get("Address") or sent.get("address"), sent.get("endpoint")
        if not (address or endpoint):
            raise serializers.ValidationError({"endpoint": [NO_NAME]})
        return {"address": address, "endpoint": endpoint}


@extend_schema_serializer(exclude_fields=["address"])  # in most languages it would be `Address` again
class RegisterBindingSerializer(OwnBindingSerializer):
    identity = TextField(visible=True, max_length=128, help_text="Who is signed in registers for themself instead.")

    def validate(self, sent: dict[str, Any]) -> dict[str, Any]:
        return {**super().validate(sent), "identity": sent["identity"]}


class BindingSerializer(serializers.Serializer[Device]):
    sid = serializers.CharField()
    endpoint = serializers.CharField()
    identity = serializers.CharField()
    address = serializers.CharField()
    bindingType = serializers.CharField(source="binding_type")
    tags = serializers.ListField(source="tag_ids", child=serializers.CharField())
    message = ConstantField("This device will be notified.")


class ConferenceNameField(IdField):
    """A group's id, or Twilio's name of its conference, which is the same where CONFERENCE_PREFIX is not set."""

    def to_internal_value(self, data: Any) -> int:
        group_id = group_of_conference(data) if isinstance(data, str) else None
        return super().to_internal_value(data) if group_id is None else group_id


@extend_schema_serializer(exclude_fields=["FriendlyName"])  # one of the two must be there
class NotificationSerializer(serializers.Serializer[Any]):
    FriendlyName = ConferenceNameField(required=False)
    groupId = IdField(required=False, help_text="Or `FriendlyName`: Twilio's name of its conference.")
    message = TextField(required=False, visible=True, max_length=500, default=CALL_STARTED)

    def validate(self, sent: dict[str, Any]) -> dict[str, Any]:
        named = [sent[name] for name in ("groupId", "FriendlyName") if name in sent]
        if not named:
            raise serializers.ValidationError({"groupId": ["This field is required."]})
        return {"group_id": named[0], "body": sent["message"]}


class SentNotificationSerializer(serializers.Serializer[Any]):
    sid = serializers.CharField(allow_null=True, help_text="Null where there was no device to tell.")
    groupId = serializers.IntegerField(source="group_id")
    recipients = serializers.IntegerField(help_text="How many devices.")
