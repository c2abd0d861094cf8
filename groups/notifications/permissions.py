"""Who may tell a group something."""

from typing import Any

from rest_framework.request import Request

from core.wire import read
from groups.api.permissions import MayInGroup
from groups.notifications.serializers import NotificationSerializer


class MayNotify(MayInGroup):
    def group_id(self, request: Request, view: Any) -> int:
        group_id: int = read(NotificationSerializer, request.data)["group_id"]
        return group_id
