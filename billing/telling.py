"""What people are told of their money, each thing once: stored with what caused it, under the account's lock."""

from calendar import monthrange
from datetime import date, timedelta

from django.db.models import Q, QuerySet

from billing.models import Account, Card, LedgerEntry, TopUp
from core.transactions import atomic_and_retried, lock_rows
from groups.notifications.models import Notice
from groups.notifications.notices.telling import tell
from users.models import User

Kind = Notice.Kind
A_MONTH = timedelta(days=31)


def tell_of_top_up(top_up: TopUp) -> None:
    """That it has succeeded, or that the card was refused."""
    user_id = top_up.account.user_id
    if user_id is None:
        return
    if top_up.status == TopUp.Status.SUCCEEDED:
        tell([user_id], Kind.ADDED, str(top_up.pk), cents=top_up.brought_cents)
    elif top_up.status == TopUp.Status.REFUSED:
        tell([user_id], Kind.REFUSED, str(top_up.pk), cents=top_up.amount_cents)


def tell_if_low(account: Account, *, below_micros: int) -> None:
    """Tells whose balance is below this, once until money comes in. Whose it is, is asked under the lock: they may have
    gone since the account was read."""
    if account.balance_micros() < below_micros:
        for user_id in Account.objects.filter(pk=account.pk, user__isnull=False).values_list("user_id", flat=True):
            tell([user_id], Kind.LOW, str(newest_income(user_id)))


def newest_income(user_id: int) -> int:
    """The id of the entry by which money came last; 0 where none ever did."""
    entries = LedgerEntry.objects.filter(account__user=user_id, amount_micros__gt=0)
    return entries.values_list("pk", flat=True).first() or 0


def is_still_low(notice: Notice) -> bool:
    return newest_income(notice.user_id) == int(notice.about)


def expiring_cards(today: date) -> QuerySet[Card]:
    """Cards by which somebody pays, and whose last day, which is the last of its month, is at most 31 days away."""
    next_month = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    its_last_day = next_month.replace(day=monthrange(next_month.year, next_month.month)[1])
    months = Q(exp_year=today.year, exp_month=today.month)
    if its_last_day - today <= A_MONTH:
        months |= Q(exp_year=next_month.year, exp_month=next_month.month)
    return Card.objects.filter(months, is_default=True)


@atomic_and_retried
def tell_of_card(card: Card) -> bool:
    """Whether they had not been told. Whose card it still is, is asked under their lock."""
    lock_rows(User.objects.filter(pk=card.user_id).only("pk"))
    known = Notice.objects.filter(user=card.user_id, kind=Kind.CARD, about=about_card(card))
    if known.exists() or not Card.objects.filter(pk=card.pk, user=card.user_id, is_default=True).exists():
        return False
    tell([card.user_id], Kind.CARD, about_card(card), last4=card.last4, month=card.exp_month, year=card.exp_year)
    return True


def about_card(card: Card) -> str:
    return f"{card.pk}:{card.exp_year}-{card.exp_month}"


def is_still_to_expire(notice: Notice) -> bool:
    """Whether they still pay by it, and it was not renewed."""
    return notice.about in map(about_card, Card.objects.filter(user=notice.user_id, is_default=True))
