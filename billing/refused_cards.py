"""How often cards may be refused: whoever tries stolen ones hears "no" again and again.

Counted for the person and for their Stripe customer, in the database and before the bank is asked, so that of many at
once no more reach it. What the bank accepts, or what it was never asked about, counts for nothing. Each refusal is a
row that staff see, which outlives the person and names nobody then.
"""

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet

from billing.gateway.interface import CardDeclined, NoCard, UnusableSource
from billing.models import CardRefusal
from core.throttle import TooManyRequests
from users.limits import Full, Place, give_all_back, keyed, of_person, take_places
from users.models import User

logger = logging.getLogger(__name__)

KEPT_FOR = timedelta(days=90)


class CardsRefusedTooOften(TooManyRequests):
    default_code = "cards_refused_too_often"
    default_detail = "Cards were refused several times, and none is tried for a while."
    extra_detail_singular = "Try again in {wait} minute."
    extra_detail_plural = "Try again in {wait} minutes."

    def __init__(self, seconds: float) -> None:
        super().__init__(math.ceil(seconds / 60))
        self.wait: float = seconds


@contextmanager
def counting_refusals(*, user: User | None, customer: str, amount_cents: int | None = None) -> Iterator[None]:
    """Around what asks the bank for a card. Raises CardsRefusedTooOften before that, and nothing of its own after."""
    rate: tuple[int, int] | None = settings.THROTTLE_REFUSED_CARDS
    who = of_person(user) if user else ""
    places = take([each for each in (who, keyed("customer", customer)) if each], rate) if rate else []
    try:
        yield
    except (CardDeclined, UnusableSource) as error:
        if isinstance(error, NoCard):
            give_all_back(places)
        else:
            logger.warning("A card of person %s was refused", user.pk if user else None)
            fields = {"user": user, "who": who, "why": str(error.detail)[:500]}
            CardRefusal.objects.create(amount_cents=amount_cents, **fields)
        raise
    except BaseException:
        give_all_back(places)
        raise
    else:
        give_all_back(places)


def take(whos: list[str], rate: tuple[int, int]) -> list[Place]:
    answer = take_places("refused_cards", whos, *rate)
    if isinstance(answer, Full):
        raise CardsRefusedTooOften(answer.wait)
    return answer


def old_refusals(now: datetime) -> QuerySet[CardRefusal]:
    return CardRefusal.objects.filter(created_at__lte=now - KEPT_FOR)
