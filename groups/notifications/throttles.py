"""How often somebody may register a device, and a group be told something."""

from collections.abc import Mapping
from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from core.wire import IdField
from groups.notifications.serializers import ConferenceNameField
from users.api.throttles import CountedThrottle
from users.limits import keyed


class DeviceThrottle(CountedThrottle):
    scope = "devices"


class NotificationThrottle(CountedThrottle):
    """Counts by the group that is told, whoever asks: its members' phones ring no more often when two of them do."""

    scope = "notifications"

    def get_cache_key(self, request: Request) -> str | None:
        group_id = named_group(request.data)
        return None if group_id is None else keyed("group", str(group_id))


def named_group(body: Any) -> int | None:
    """The group's id as the body gives it; None for a body that will be refused for having none."""
    sent = body if isinstance(body, Mapping) else {}
    for name, field in (("groupId", IdField()), ("FriendlyName", ConferenceNameField())):
        try:
            return field.to_internal_value(sent.get(name))
        except ValidationError:
            continue
    return None
