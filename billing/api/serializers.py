"""The bodies of the billing routes, and what they answer."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from billing.models import LedgerEntry, TopUp
from billing.statement import exact
from core.rows import RowSerializer
from core.wire import (
    MICROS_PER_DOLLAR,
    BalanceField,
    ChangesSerializer,
    ConstantField,
    DollarsField,
    TextField,
    TimeField,
    WholeNumberField,
)
from users.api.serializers import UserIdSerializer

HIGHEST_BALANCE = 10**9 * MICROS_PER_DOLLAR
YEAR = "([0-9]{3}[1-9]|[0-9]{2}[1-9]0|[0-9][1-9]00|[1-9]000)"
LEAP_YEAR = "([0-9]{2}(0[48]|[2468][048]|[13579][26])|(0[48]|[2468][048]|[13579][26])00)"
DAY_OF_YEAR = "((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))"
DAY = f"({YEAR}-{DAY_OF_YEAR}|{LEAP_YEAR}-02-29)"
HOUR = "([01][0-9]|2[0-3]):[0-5][0-9]"
TIME = rf"{DAY}T{HOUR}(:[0-5][0-9](\.[0-9]{{1,6}})?)?(Z|[+-]{HOUR})?"
"""Days and times that there are, and no others: what the document allows is answered."""


class SourceField(serializers.RegexField):
    """A card as clients name it: tok_…, src_…, card_… or pm_…"""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            r"^(tok|src|card|pm)_[A-Za-z0-9_]{1,240}\Z",
            error_messages={"invalid": "Use an id from Stripe: tok_…, src_…, card_… or pm_…"},
            **kwargs,
        )


@extend_schema_field({"type": "integer", "example": 2000})
class CentsField(WholeNumberField):
    """Whole cents, as a number or a string of digits."""

    default_error_messages = {"invalid": "Use an amount in whole cents, such as 2000 for $20.00."}

    def to_internal_value(self, data: Any) -> int:
        text = self.whole_number(data)
        if not re.fullmatch(r"-?[0-9]{1,30}", text):
            self.fail("invalid")
        return int(text)


class AddMoneySerializer(UserIdSerializer):
    amountToAdd = DollarsField(help_text="Dollars, from 1.00 to 500.00.")


class CustomerSerializer(serializers.Serializer[Any]):
    userStripeId = TextField(visible=True, max_length=128)


class CreateChargeSerializer(CustomerSerializer):
    sourceId = SourceField(required=False, allow_null=True, help_text="Without it, the default card.")
    amountToAdd = CentsField(help_text="Cents, from 100 to 50000.")


class CustomerSourceSerializer(CustomerSerializer):
    sourceId = SourceField()


class UserSourceSerializer(UserIdSerializer):
    sourceId = SourceField()


class BalanceSerializer(RowSerializer):
    accountBalance = BalanceField(source="account_balance_micros")


class BalanceChangeSerializer(ChangesSerializer):
    accountBalance = DollarsField()

    def validate_accountBalance(self, micros: int) -> int:  # the wire's own name
        if abs(micros) > HIGHEST_BALANCE:
            raise serializers.ValidationError("Use a balance of at most a billion dollars.")
        return micros


class Last4Serializer(RowSerializer):
    last4 = serializers.CharField(allow_null=True)


class Last4ChangeSerializer(ChangesSerializer):
    last4 = serializers.RegexField(
        r"^[0-9]{4}\Z", allow_null=True, trim_whitespace=False, error_messages={"invalid": "Use four digits, or null."}
    )


class AddedMoneySerializer(serializers.Serializer[Any]):
    updatedAccountBalance = serializers.FloatField(help_text="Dollars.")


class RefusedPaymentSerializer(serializers.Serializer[Any]):
    """Why no money came: the React page reads it on status 200."""

    errorMessage = serializers.CharField(source="message")
    clientSecret = serializers.CharField(
        source="client_secret", required=False, help_text="For a card whose owner must consent, in the client."
    )

    def to_representation(self, instance: Any) -> dict[str, Any]:
        shape = super().to_representation(instance)
        if not shape["clientSecret"]:
            del shape["clientSecret"]
        return shape


class ChargeSerializer(serializers.Serializer[TopUp]):
    id = serializers.CharField(source="payment")
    amount = serializers.IntegerField(source="brought_cents", help_text="Cents, as received.")
    currency = ConstantField("usd")
    status = serializers.CharField()
    customer = serializers.CharField()


class CreatedChargeSerializer(serializers.Serializer[Any]):
    charge = ChargeSerializer()


class CardWithIdSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    brand = serializers.CharField()
    last4 = serializers.CharField()
    expMonth = serializers.IntegerField(source="exp_month")
    expYear = serializers.IntegerField(source="exp_year")


class CardSerializer(CardWithIdSerializer):
    id = None  # type: ignore[assignment]  # how REST framework leaves a field out


class DefaultSourceSerializer(serializers.Serializer[Any]):
    defaultSourceId = serializers.CharField(source="card.id", allow_null=True)
    card = CardSerializer(allow_null=True)


class UpdatedSourceSerializer(serializers.Serializer[Any]):
    updatedSource = CardWithIdSerializer()


class UpdatedCustomerSerializer(serializers.Serializer[Any]):
    id = serializers.CharField(source="user.stripe_id")
    email = serializers.CharField(source="user.email")
    defaultSourceId = serializers.CharField(source="card.id")
    card = CardSerializer()


class ChargedSumSerializer(serializers.Serializer[Any]):
    sumOfUserStripeCharges = serializers.FloatField(help_text="Dollars: succeeded less refunded.")


@extend_schema_field({"type": "string", "pattern": f"^({DAY}|{TIME})$", "example": "2026-11-01"})
class MomentField(serializers.Field[datetime, str, str, Any]):
    """A day, or a time with the seconds and the zone left out or not: both are UTC's where they name no zone.

    A day stands for its beginning; with `whole_day`, for its end.
    """

    default_error_messages = {"invalid": "Use a day, such as 2026-11-01, or a time, such as 2026-11-01T18:30:00Z."}

    def __init__(self, *, whole_day: bool = False, **kwargs: Any) -> None:
        self.whole_day = whole_day
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> datetime:
        text = str(data).replace(" ", "+")  # what a + becomes in a query that was not encoded
        is_day = bool(re.fullmatch(DAY, text))
        if not is_day and not re.fullmatch(TIME, text):
            self.fail("invalid")
        time = datetime.fromisoformat(text)
        time = time.replace(tzinfo=time.tzinfo or UTC)
        try:
            return time.astimezone(UTC) + timedelta(days=is_day and self.whole_day)
        except OverflowError:  # before the first day that can be written, or after the last one
            return (datetime.min if time.year == 1 else datetime.max).replace(tzinfo=UTC)

    def to_representation(self, value: datetime) -> str:
        return value.isoformat()


NOTHING_BETWEEN = "There is nothing in between: `from` must be before `to`."


class PeriodSerializer(serializers.Serializer[Any]):
    """`from` is a word of Python: it is declared below. Gives `begin` and `end`."""

    to = MomentField(required=False, whole_day=True, help_text="Up to this day and all of it, or before this time.")

    def get_fields(self) -> dict[str, Any]:
        return {"from": MomentField(required=False, help_text="From this day or time on."), **super().get_fields()}

    def validate(self, sent: dict[str, Any]) -> dict[str, Any]:
        begin, end = sent.get("from"), sent.get("to")
        if begin and end and begin >= end:
            raise serializers.ValidationError({"from": [NOTHING_BETWEEN]})
        return {"begin": begin, "end": end}


class ExactDollarsField(serializers.CharField):
    """Micro-dollars, to the last one."""

    to_representation = staticmethod(exact)  # type: ignore[assignment]  # called for every row: no `self` between


class StatementEntrySerializer(RowSerializer):
    id = serializers.IntegerField(help_text="What to quote to an operator.")
    createdAt = TimeField(source="created_at")
    kind = serializers.ChoiceField(LedgerEntry.Kind.choices)
    memo = serializers.CharField(help_text="What it was for, in words.")
    groupId = serializers.IntegerField(source="group_id", allow_null=True)
    groupName = serializers.CharField(
        source="group_name",
        allow_null=True,
        help_text="Null where there is no group, it is gone, or the reader may not see it.",
    )
    amount = ExactDollarsField(
        source="amount_micros", help_text="Dollars, exact, with two decimals or more; negative where money leaves."
    )
    balanceAfter = ExactDollarsField(source="balance_after_micros", help_text="Dollars, as above.")
