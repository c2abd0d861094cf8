"""Whose money it is, where sign-in is on."""

from typing import Any

from rest_framework.request import Request

from billing.api.serializers import CustomerSerializer
from core.wire import read
from users.api.permissions import ASK_NOTHING, IsSignedUp
from users.api.serializers import UserIdSerializer
from users.callers import caller_of, is_whole_for
from users.models import User


class OwnMoney(IsSignedUp):
    """The person whom the body names by `userId`, and staff. Others are refused whether that person exists or not."""

    message = "This is another person's money."

    def has_permission(self, request: Request, view: Any) -> bool:
        super().has_permission(request, view)
        return view.action in ASK_NOTHING or caller_of(request).is_staff or self.is_own(request)

    def is_own(self, request: Request) -> bool:
        return is_whole_for(caller_of(request), read(UserIdSerializer, request.data)["userId"])


class OwnCustomer(OwnMoney):
    """The person whom the body names by `userStripeId`, and staff. One's own of before is let in, to be told so."""

    def is_own(self, request: Request) -> bool:
        caller, named = caller_of(request), read(CustomerSerializer, request.data)["userStripeId"]
        if not isinstance(caller, User):
            return False
        return named == caller.stripe_id or caller.former_customers.filter(pk=named).exists()
