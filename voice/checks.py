"""What is said at the start of settings that let calls run without money. https://docs.djangoproject.com/en/5.2/topics/checks/"""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning, register  # noqa: A004  # Django's word


def credit_warnings() -> list[str]:
    """A sentence for each, where calls are real: what Twilio takes for them is the operator's to pay."""
    if not settings.TELEPHONY.get("OPTIONS"):
        return []
    sentences = []
    if not settings.CALL_RATE:
        sentences.append(
            "CALL_RATE is 0: no call counts as costing anything while it runs, so that none is cut off before its "
            "payer's balance is below zero. Set it to what Twilio takes for a minute of a phone."
        )
    if not settings.MIN_CALL_BALANCE:
        sentences.append(
            "MIN_CALL_BALANCE is 0: calls start without money and are not cut off while they run, until a price that "
            "has come puts their payer's balance below zero. Set it to the least dollars that a call needs."
        )
    return sentences


@register()
def check_credit(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    return [Warning(sentence, id=f"voice.W00{number}") for number, sentence in enumerate(credit_warnings(), 1)]
