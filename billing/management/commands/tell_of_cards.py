from typing import Any

from django.utils import timezone

from billing.telling import expiring_cards, tell_of_card
from core.deadline import is_over
from core.runs import BoundedCommand


class Command(BoundedCommand):
    help = "Tells people that the card by which they pay expires within a month: once for each card and date."

    def run(self, **options: Any) -> None:
        told = 0
        for card in expiring_cards(timezone.now().date()).iterator():
            if is_over():
                break
            told += tell_of_card(card)
        self.stdout.write(f"{told} told of a card that expires")
