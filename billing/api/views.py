"""The doors of money: a person's balance and card, payments, and Stripe's own webhook."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.viewsets import ViewSet

from billing import cards, top_ups, webhook
from billing.api.permissions import OwnCustomer, OwnMoney
from billing.api.serializers import (
    AddedMoneySerializer,
    AddMoneySerializer,
    BalanceChangeSerializer,
    BalanceSerializer,
    CardWithIdSerializer,
    ChargedSumSerializer,
    CreateChargeSerializer,
    CreatedChargeSerializer,
    CustomerSerializer,
    CustomerSourceSerializer,
    DefaultSourceSerializer,
    Last4ChangeSerializer,
    Last4Serializer,
    RefusedPaymentSerializer,
    UpdatedCustomerSerializer,
    UpdatedSourceSerializer,
    UserSourceSerializer,
)
from billing.api.throttles import CardInquiryThrottle, PaymentThrottle
from billing.gateway.interface import CustomerGone, PaymentMethod, payments
from billing.ledger import set_balance
from billing.models import Card, FormerCustomer
from core.preconditions import conditional
from core.wire import MICROS_PER_CENT, MICROS_PER_DOLLAR, read
from users.api.idempotent import AnswersAgain, idempotency_key, idempotent, key_parameter, vendors_key
from users.api.permissions import IsAdminUser, IsSelf, PermissionsByAction
from users.api.serializers import UserSerializer
from users.api.standing import ask_again, asking_again
from users.models import User

LEAST_CENTS, MOST_CENTS = 1_00, 500_00
NOBODY = "Nobody here has this Stripe id. Load the person again (GET /api/users/:id) and use the stripeId there."
OUT_OF_RANGE = {"message": "Choose an amount from $1.00 to $500.00.", "client_secret": ""}
IDEMPOTENCY_KEY = key_parameter("The same key gives the same answer for ever; with another amount it is refused: 422.")


def either(success: type[Serializer[Any]]) -> Serializer[Any]:
    """What is answered 200: the success, or why there is none. In one shape, for of two generators make none."""

    def get_fields(self: Serializer[Any]) -> dict[str, Any]:
        fields = {**success().get_fields(), **RefusedPaymentSerializer().get_fields()}
        for field in fields.values():
            field.required = False
        return fields

    name = success.__name__.replace("Serializer", "OrRefusalSerializer")
    return type(name, (Serializer,), {"get_fields": get_fields})()  # type: ignore[no-any-return]


def person(user_id: int) -> User:
    return get_object_or_404(User.objects.all(), pk=user_id)


def person_with(stripe_id: str) -> User:
    user = User.objects.filter(stripe_id=stripe_id).first()
    if user is None:
        raise CustomerGone if FormerCustomer.objects.filter(pk=stripe_id).exists() else NotFound(NOBODY)
    return user


@transaction.atomic
def lock_and_ask_again(view: Any, request: Request, user: User) -> None:
    """Before Stripe is asked: what it has done is kept afterwards, whoever has been demoted meanwhile."""
    get_object_or_404(User.objects.select_for_update(no_key=True), pk=user.pk)
    ask_again(view, request)


class BalanceViewSet(PermissionsByAction, ViewSet):
    permission_classes = (IsSelf,)
    action_permissions = {"update": IsAdminUser}

    @extend_schema(summary="A person's balance", responses=BalanceSerializer)
    def retrieve(self, request: Request, user_id: int) -> Response:
        return Response(BalanceSerializer(person(user_id)).data)

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
            wished, check = changes["accountBalance"], asking_again(self, request)
            set_balance(user=user, balance_micros=wished, memo="Set through the API", check=check)
        return Response(UserSerializer(person(user_id)).data)


class Last4ViewSet(ViewSet):
    permission_classes = (IsSelf,)

    @extend_schema(summary="The last four digits of a person's card", responses=Last4Serializer)
    def retrieve(self, request: Request, user_id: int) -> Response:
        return Response(Last4Serializer(person(user_id)).data)

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
            with transaction.atomic():
                lock_and_ask_again(self, request, user)
                User.objects.filter(pk=user.pk).update(**changes)
        return Response(UserSerializer(person(user_id)).data)


class PaymentViewSet(PermissionsByAction, ViewSet):
    throttle_classes = (
        PaymentThrottle.on("add_money", "create_charge"),
        CardInquiryThrottle.on("user_stripe_charges"),
    )
    permission_classes = (OwnCustomer,)
    action_permissions = {"add_money": OwnMoney}
    came_at: datetime

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self.came_at = timezone.now()  # before the throttle, which may wait for the database
        super().initial(request, *args, **kwargs)

    @extend_schema(
        summary="Add money to a person's balance",
        description="Charges the default card. What a person can cause by typing is answered 200 with `errorMessage`.",
        parameters=[IDEMPOTENCY_KEY],
        request=AddMoneySerializer,
        responses=either(AddedMoneySerializer),
    )
    def add_money(self, request: Request) -> Response:
        sent = read(AddMoneySerializer, request.data)
        user, cents = person(sent["userId"]), sent["amountToAdd"] // MICROS_PER_CENT
        if not LEAST_CENTS <= cents <= MOST_CENTS:
            return Response(RefusedPaymentSerializer(OUT_OF_RANGE).data)
        key, check, came_at = idempotency_key(request), asking_again(self, request), self.came_at
        top_up = top_ups.add_money(user=user, amount_cents=cents, key=key, check=check, came_at=came_at)
        if top_up.entry is None:
            return Response(RefusedPaymentSerializer(top_up).data)
        balance = in_dollars(top_up.entry.balance_after_micros)
        return Response(AddedMoneySerializer({"updatedAccountBalance": balance}).data)

    @extend_schema(
        summary="Charge a card",
        parameters=[IDEMPOTENCY_KEY],
        request=CreateChargeSerializer,
        responses=either(CreatedChargeSerializer),
    )
    def create_charge(self, request: Request) -> Response:
        sent = read(CreateChargeSerializer, request.data)
        user, cents = person_with(sent["userStripeId"]), sent["amountToAdd"]
        if not LEAST_CENTS <= cents <= MOST_CENTS:
            return Response(RefusedPaymentSerializer(OUT_OF_RANGE).data)
        source, key, check = sent.get("sourceId") or "", idempotency_key(request), asking_again(self, request)
        top_up = top_ups.add_money(
            user=user, amount_cents=cents, source=source, key=key, check=check, came_at=self.came_at
        )
        if top_up.entry is None:
            return Response(RefusedPaymentSerializer(top_up).data)
        return Response(CreatedChargeSerializer({"charge": top_up}).data)

    @extend_schema(summary="What a person paid by card", request=CustomerSerializer, responses=ChargedSumSerializer)
    def user_stripe_charges(self, request: Request) -> Response:
        user = person_with(read(CustomerSerializer, request.data)["userStripeId"])
        cents = cards.total_charged(user)
        return Response(ChargedSumSerializer({"sumOfUserStripeCharges": cents / 100}).data)


class CardViewSet(AnswersAgain, PermissionsByAction, ViewSet):
    throttle_classes = (
        PaymentThrottle.on("attach_source", "update_credit_card", "update_default_source"),
        CardInquiryThrottle.on("retrieve_default_source"),
    )
    permission_classes = (OwnCustomer,)
    action_permissions = {"update_credit_card": OwnMoney}

    def answer_again(self, request: Request, made: str, status: int) -> Response:
        return self.answer(get_object_or_404(Card.objects.select_related("user"), pk=made))

    def answer(self, card: Card) -> Response:
        """By what is kept here of a card on file."""
        if self.action == "update_default_source":
            return Response(UpdatedCustomerSerializer({"user": card.user, "card": card}).data)
        if self.action == "update_credit_card":
            return Response(UpdatedSourceSerializer({"updatedSource": card}).data)
        return Response(CardWithIdSerializer(card).data)

    def done(self, user: User, card: PaymentMethod) -> Response:
        self.made, self.owner_id = card.id, user.pk
        return self.answer(Card(pk=card.id, user=user, **cards.shown(card)))

    @extend_schema(summary="Put a card on file", request=CustomerSourceSerializer, responses=CardWithIdSerializer)
    @idempotent(asks_vendor=True)
    def attach_source(self, request: Request) -> Response:
        sent = read(CustomerSourceSerializer, request.data)
        user = person_with(sent["userStripeId"])
        lock_and_ask_again(self, request, user)
        return self.done(user, cards.attach(user=user, source=sent["sourceId"], key=vendors_key(request)))

    @extend_schema(summary="The default card", request=CustomerSerializer, responses=DefaultSourceSerializer)
    def retrieve_default_source(self, request: Request) -> Response:
        user = person_with(read(CustomerSerializer, request.data)["userStripeId"])
        return Response(DefaultSourceSerializer({"card": cards.default_card(user)}).data)

    @extend_schema(summary="Replace a person's card", request=UserSourceSerializer, responses=UpdatedSourceSerializer)
    @idempotent(asks_vendor=True)
    def update_credit_card(self, request: Request) -> Response:
        sent = read(UserSourceSerializer, request.data)
        user = person(sent["userId"])
        lock_and_ask_again(self, request, user)
        return self.done(user, cards.replace_default(user=user, source=sent["sourceId"], key=vendors_key(request)))

    @extend_schema(
        summary="Choose the default card", request=CustomerSourceSerializer, responses=UpdatedCustomerSerializer
    )
    @idempotent(asks_vendor=True)
    def update_default_source(self, request: Request) -> Response:
        sent = read(CustomerSourceSerializer, request.data)
        user = person_with(sent["userStripeId"])
        lock_and_ask_again(self, request, user)
        return self.done(user, cards.make_default(user=user, source=sent["sourceId"], key=vendors_key(request)))


class StripeWebhookViewSet(ViewSet):
    authentication_classes = ()
    permission_classes = ()  # Stripe's signature is checked where the event is read

    @extend_schema(
        summary="Stripe's webhook",
        description="Forged or stale: 400. What is signed is stored, whatever it says: 204. Where Stripe must be asked "
        "about it and does not answer it is 503, and Stripe sends it again. Whole events and thin ones are read.",
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


def in_dollars(micros: int) -> float:
    """Dollars as a JSON number, rounded down to the cent."""
    return micros // MICROS_PER_CENT / (MICROS_PER_DOLLAR // MICROS_PER_CENT)
