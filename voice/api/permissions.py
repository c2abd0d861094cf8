"""Who may see what a group's calls cost."""

from typing import Any

from rest_framework.request import Request

from core.wire import read
from groups.api.permissions import MayInGroup
from voice.api.serializers import GroupChargesQuerySerializer


class MaySeeCharges(MayInGroup):
    def group_id(self, request: Request, view: Any) -> int:
        group_id: int = read(GroupChargesQuerySerializer, request.data)["groupId"]
        return group_id
