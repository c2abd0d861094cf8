"""How often somebody may register a device, and a group be told something."""

from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from core.wire import read
from groups.notifications.serializers import NotificationSerializer
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
    try:
        group_id: int = read(NotificationSerializer, body)["group_id"]
    except ValidationError:
        return None
    return group_id
