"""The doors of money: a person's balance and card, payments, and Stripe's own webhook."""

import re

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from billing import cards, top_ups, webhook
from billing.api.permissions import OwnCustomer, OwnMoney
from billing.api.serializers import (
    AddedMoneySerializer,
    AddMoneySerializer,
    BalanceChangeSerializer,
    BalanceSerializer,
    CardSerializer,
    CardWithIdSerializer,
    ChargedSumSerializer,
    CreateChargeSerializer,
    CreatedChargeSerializer,
    CustomerSerializer,
    CustomerSourceSerializer,
    DefaultSourceSerializer,
    Last4ChangeSerializer,
    Last4Serializer,
    UpdatedCustomerSerializer,
    UpdatedSourceSerializer,
    UserSourceSerializer,
)
from billing.api.throttles import PaymentThrottle
from billing.gateway.interface import payments
from billing.ledger import set_balance
from billing.models import TopUp
from core.preconditions import conditional
from core.wire import MICROS_PER_CENT, MICROS_PER_DOLLAR, dollars, read
from users.api.permissions import IsAdminUser, IsSelf, PermissionsByAction
from users.api.serializers import UserSerializer, user_shape_of
from users.models import User

LEAST_CENTS, MOST_CENTS = 1_00, 500_00
OUT_OF_RANGE = "Choose an amount from $1.00 to $500.00."
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    pattern="^[!-~]{1,255}$",
    description="The same key gives the same answer for ever; with another amount it is refused: 422.",
)


def person(user_id: int) -> User:
    return get_object_or_404(User.objects.all(), pk=user_id)


def person_with(stripe_id: str) -> User:
    user = User.objects.filter(stripe_id=stripe_id).first()
    if user is None:
        raise NotFound("Nobody here has this Stripe id.")
    return user


class BalanceViewSet(PermissionsByAction, ViewSet):
    permission_classes = (IsSelf,)
    action_permissions = {"update": IsAdminUser}

    @extend_schema(summary="A person's balance", responses=BalanceSerializer)
    def retrieve(self, request: Request, user_id: int) -> Response:
        return Response({"accountBalance": dollars(person(user_id).account_balance_micros)})

    @extend_schema(
        summary="Set a person's balance",
        description="Posts the difference to the ledger as an adjustment.",
        request=BalanceChangeSerializer,
        responses=UserSerializer,
    )
    @conditional
    def update(self, request: Request, user_id: int) -> Response:
        user = person(user_id)
        changes = read(BalanceChangeSerializer, request.data)
        if "accountBalance" in changes:
            set_balance(user=user, balance_micros=changes["accountBalance"], memo="Set through the API")
        return Response(user_shape_of(person(user_id)))


class Last4ViewSet(ViewSet):
    permission_classes = (IsSelf,)

    @extend_schema(summary="The last four digits of a person's card", responses=Last4Serializer)
    def retrieve(self, request: Request, user_id: int) -> Response:
        return Response({"last4": person(user_id).last4})

    @extend_schema(
        summary="Set the last four digits of a person's card",
        request=Last4ChangeSerializer,
        responses=UserSerializer,
    )
    @conditional
    def update(self, request: Request, user_id: int) -> Response:
        user = person(user_id)
        changes = read(Last4ChangeSerializer, request.data)
        if changes:
            User.objects.filter(pk=user.pk).update(**changes)
        return Response(user_shape_of(person(user_id)))


class PaymentViewSet(PermissionsByAction, ViewSet):
    throttle_classes = (PaymentThrottle.on("add_money", "create_charge"),)
    permission_classes = (OwnCustomer,)
    action_permissions = {"add_money": OwnMoney}

    @extend_schema(
        summary="Add money to a person's balance",
        description="Charges the default card. What a person can cause by typing is answered 200 with `errorMessage`.",
        parameters=[IDEMPOTENCY_KEY],
        request=AddMoneySerializer,
        responses=AddedMoneySerializer,
    )
    def add_money(self, request: Request) -> Response:
        sent = read(AddMoneySerializer, request.data)
        user, cents = person(sent["userId"]), sent["amountToAdd"] // MICROS_PER_CENT
        if not LEAST_CENTS <= cents <= MOST_CENTS:
            return Response({"errorMessage": OUT_OF_RANGE})
        top_up = top_ups.add_money(user=user, amount_cents=cents, key=idempotency_key(request))
        if top_up.entry is None:
            return Response(refusal(top_up))
        return Response({"updatedAccountBalance": in_dollars(top_up.entry.balance_after_micros)})

    @extend_schema(
        summary="Charge a card",
        parameters=[IDEMPOTENCY_KEY],
        request=CreateChargeSerializer,
        responses=CreatedChargeSerializer,
    )
    def create_charge(self, request: Request) -> Response:
        sent = read(CreateChargeSerializer, request.data)
        user, cents = person_with(sent["userStripeId"]), sent["amountToAdd"]
        if not LEAST_CENTS <= cents <= MOST_CENTS:
            return Response({"errorMessage": OUT_OF_RANGE})
        top_up = top_ups.add_money(
            user=user, amount_cents=cents, source=sent.get("sourceId") or "", key=idempotency_key(request)
        )
        if top_up.entry is None:
            return Response(refusal(top_up))
        charge = {"id": top_up.payment, "amount": cents, "currency": "usd", "status": "succeeded"}
        return Response({"charge": {**charge, "customer": top_up.customer}})

    @extend_schema(summary="What a person paid by card", request=CustomerSerializer, responses=ChargedSumSerializer)
    def user_stripe_charges(self, request: Request) -> Response:
        user = person_with(read(CustomerSerializer, request.data)["userStripeId"])
        cents = payments().total_charged(customer=user.stripe_id or "")
        return Response({"sumOfUserStripeCharges": cents / 100})


class CardViewSet(PermissionsByAction, ViewSet):
    throttle_classes = (PaymentThrottle.on("attach_source", "update_credit_card", "update_default_source"),)
    permission_classes = (OwnCustomer,)
    action_permissions = {"update_credit_card": OwnMoney}

    @extend_schema(summary="Put a card on file", request=CustomerSourceSerializer, responses=CardWithIdSerializer)
    def attach_source(self, request: Request) -> Response:
        sent = read(CustomerSourceSerializer, request.data)
        card = cards.attach(user=person_with(sent["userStripeId"]), source=sent["sourceId"])
        return Response(CardWithIdSerializer(card).data)

    @extend_schema(summary="The default card", request=CustomerSerializer, responses=DefaultSourceSerializer)
    def retrieve_default_source(self, request: Request) -> Response:
        user = person_with(read(CustomerSerializer, request.data)["userStripeId"])
        card = payments().default_card(customer=user.stripe_id or "")
        shape = CardSerializer(card).data if card else None
        return Response({"defaultSourceId": card.id if card else None, "card": shape})

    @extend_schema(summary="Replace a person's card", request=UserSourceSerializer, responses=UpdatedSourceSerializer)
    def update_credit_card(self, request: Request) -> Response:
        sent = read(UserSourceSerializer, request.data)
        card = cards.replace_default(user=person(sent["userId"]), source=sent["sourceId"])
        return Response({"updatedSource": CardWithIdSerializer(card).data})

    @extend_schema(
        summary="Choose the default card", request=CustomerSourceSerializer, responses=UpdatedCustomerSerializer
    )
    def update_default_source(self, request: Request) -> Response:
        sent = read(CustomerSourceSerializer, request.data)
        user = person_with(sent["userStripeId"])
        card = cards.replace_default(user=user, source=sent["sourceId"])
        shape = CardSerializer(card).data
        return Response({"id": user.stripe_id, "email": user.email, "defaultSourceId": card.id, "card": shape})


class StripeWebhookViewSet(ViewSet):
    authentication_classes = ()
    permission_classes = ()  # Stripe's signature is checked where the event is read

    @extend_schema(
        summary="Stripe's webhook",
        description="Signed by Stripe: https://docs.stripe.com/webhooks/signature. Forged or stale: 400.",
        parameters=[OpenApiParameter("Stripe-Signature", str, OpenApiParameter.HEADER, required=True)],
        request={"application/json": {"type": "object"}},
        responses={204: None},
    )
    def receive(self, request: Request) -> Response:
        event = payments().construct_event(
            body=request._request.body, signature=request.headers.get("Stripe-Signature", "")
        )
        webhook.receive(event)
        return Response(status=204)


def idempotency_key(request: Request) -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not re.fullmatch("[!-~]{1,255}", key):
        raise ValidationError({"Idempotency-Key": "Use 1 to 255 visible ASCII characters."})
    return key


def in_dollars(micros: int) -> float:
    """Dollars as a JSON number, rounded down to the cent."""
    return micros // MICROS_PER_CENT / (MICROS_PER_DOLLAR // MICROS_PER_CENT)


def refusal(top_up: TopUp) -> dict[str, str]:
    answer = {"errorMessage": top_up.message}
    return {**answer, "clientSecret": top_up.client_secret} if top_up.client_secret else answer
