"""Who may see what a group's calls cost, and who may say what becomes of what is said there."""

from collections.abc import Mapping
from typing import Any

from rest_framework.request import Request

from core.wire import read
from groups.api.permissions import OWNERS, MayInGroup, Rule
from voice.api.serializers import GroupChargesQuerySerializer


class MayChangeCaptions(MayInGroup):
    """Who is in the group turns them on and off. Whether they are kept is its owners' to say."""

    def rule(self, request: Request, view: Any) -> Rule:
        names = set(request.data) if isinstance(request.data, Mapping) else set()
        return OWNERS if "keep" in names else super().rule(request, view)


class MaySeeCharges(MayInGroup):
    def group_id(self, request: Request, view: Any) -> int:
        group_id: int = read(GroupChargesQuerySerializer, request.data)["groupId"]
        return group_id
