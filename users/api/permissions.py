"""Who may pass which door. In open mode everybody passes as staff do; where sign-in is on, design and contract say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from rest_framework.exceptions import NotAuthenticated, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from users.callers import Newcomer, caller_of, is_whole_for

if TYPE_CHECKING:  # REST framework's views load this module while they load themselves
    from rest_framework.views import APIView


ASK_NOTHING = (None, "metadata")
"""Another method than the route has, and OPTIONS: nothing of the request is looked at."""


class NotSignedUp(PermissionDenied):
    default_code = "not_signed_up"
    default_detail = "Nobody has signed up with this sign-in. Post its email to /api/users first."


class IsAuthenticated(BasePermission):
    """Anybody whose token is valid."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if request.user is None:
            raise NotAuthenticated("Sign in first: send the header Authorization: Bearer <token>.")
        return True


class IsSignedUp(IsAuthenticated):
    """The people whom we know."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        super().has_permission(request, view)
        if isinstance(request.user, Newcomer):
            raise NotSignedUp
        return True


class IsAdminUser(IsSignedUp):
    message = "Only staff may do this."

    def has_permission(self, request: Request, view: APIView) -> bool:
        return super().has_permission(request, view) and caller_of(request).is_staff


class IsSelf(IsSignedUp):
    """The person in the path, and staff. Others are refused whether that person exists or not."""

    message = "This is only for the person themself."

    def has_permission(self, request: Request, view: APIView) -> bool:
        return super().has_permission(request, view) and is_whole_for(caller_of(request), view.kwargs["user_id"])


class MayChangePerson(IsSelf):
    """IsSelf but for the subscription, which staff set.

    Of others exactly `{"callStatus": false}` is let in, and changes nothing: the React client sends it for everybody on
    a group's call before it deletes the group.
    """

    message = "You may change only yourself, and your subscription not at all."

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not super().has_permission(request, view):
            return leaves_call(request.data)
        names_subscription = isinstance(request.data, Mapping) and "billingSubcription" in request.data
        return caller_of(request).is_staff or not names_subscription


def leaves_call(body: Any) -> bool:
    """Whether the body is exactly `{"callStatus": false}`."""
    return isinstance(body, Mapping) and set(body) == {"callStatus"} and body["callStatus"] is False


class PermissionsByAction:
    # A view set with actions that have permissions of their own. A docstring would be each view's, in the document.

    permission_classes: Any
    action_permissions: ClassVar[Mapping[str, type[BasePermission]]] = {}
    action: Any

    def get_permissions(self) -> list[BasePermission]:
        own = self.action_permissions.get(self.action)
        return [own()] if own else [permission() for permission in self.permission_classes]
