"""What operators see first of money."""

from datetime import datetime

from django.db.models import Q, Sum
from django.urls import reverse

from billing.admin.accounts import UNDER_WAY
from billing.admin.columns import exact_dollars
from billing.models import Account, Dispute, LedgerEntry, PaymentNotice, StripeEvent, TopUp
from core.wire import MICROS_PER_CENT
from users.models import User
from users.operators.overview import Figure, Panel, by_day, on_first_page, picture

Kind = LedgerEntry.Kind
ADDED = Q(kind=Kind.TOP_UP)
CALLED = Q(kind=Kind.CALL)


@on_first_page("billing.view_account")
def money(now: datetime) -> Panel:
    held = User.objects.aggregate(held=Sum("account_balance_micros"))["held"] or 0
    days = by_day(
        LedgerEntry.objects.filter(ADDED | CALLED),
        "created_at",
        now,
        added=Sum("amount_micros", filter=ADDED),
        called=Sum("amount_micros", filter=CALLED),
    )
    return Panel(
        "Money",
        [
            Figure("held for people", dollars(held), reverse("admin:billing_account_changelist")),
            *(each for each in to_be_seen_to() if each.value != "0"),
        ],
        [
            picture("Added a day", now, {day: row["added"] or 0 for day, row in days.items()}, dollars),
            picture("Spent on calls a day", now, {day: -(row["called"] or 0) for day, row in days.items()}, dollars),
        ],
    )


def to_be_seen_to() -> list[Figure]:
    """What somebody should look at, where there is any."""
    names = ("account", "topup", "dispute", "stripeevent", "paymentnotice")
    lists = {name: reverse(f"admin:billing_{name}_changelist") for name in names}
    under_way = TopUp.objects.filter(status__in=UNDER_WAY).count()
    open_disputes = Dispute.objects.open().count()
    waiting = StripeEvent.objects.filter(applied_at=None).count()
    notices = PaymentNotice.objects.count()
    owing = User.objects.filter(account_balance_micros__lt=0).count()
    left = Account.objects.filter(user=None).count()
    return [
        Figure("payments under way", str(under_way), f"{lists['topup']}?status__in={','.join(UNDER_WAY)}"),
        Figure("people who owe", str(owing), f"{lists['account']}?person=owes"),
        Figure("accounts of deleted people", str(left), f"{lists['account']}?person=deleted"),
        Figure("open disputes", str(open_disputes), f"{lists['dispute']}?settled__exact=0", is_alarm=True),
        Figure("events of Stripe's not applied", str(waiting), f"{lists['stripeevent']}?applied=no", is_alarm=True),
        Figure("things that Stripe refuses", str(notices), lists["paymentnotice"], is_alarm=True),
    ]


def dollars(micros: int) -> str:
    """To the cent, for a look: a call costs parts of one."""
    return exact_dollars(micros // MICROS_PER_CENT * MICROS_PER_CENT) or ""
