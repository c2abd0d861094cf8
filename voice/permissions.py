"""Who may do what about a group that the body names."""

from typing import Any

from rest_framework.request import Request

from groups.permissions import MayInGroup
from users.wire import read
from voice.serializers import GroupChargesQuerySerializer, NotificationSerializer


class MayNotify(MayInGroup):
    def group_id(self, request: Request, view: Any) -> int:
        group_id: int = read(NotificationSerializer, request.data)["group_id"]
        return group_id


class MaySeeCharges(MayInGroup):
    def group_id(self, request: Request, view: Any) -> int:
        group_id: int = read(GroupChargesQuerySerializer, request.data)["groupId"]
        return group_id
