"""How money, people and what Stripe says look on the operators' pages."""

import json
from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.utils.html import format_html

from core.wire import MICROS_PER_CENT, MICROS_PER_DOLLAR
from users.models import User
from users.operators import person_link


def exact_dollars(micros: int | None) -> str | None:
    """Micro-dollars to the last one of them: -8500 is "-$0.0085", 12500000 is "$12.50"."""
    if micros is None:
        return None
    whole, rest = divmod(abs(micros), MICROS_PER_DOLLAR)
    return f"{'-' if micros < 0 else ''}${whole:,}.{f'{rest:06}'.rstrip('0'):0<2}"


def dollars_column(name: str, description: str) -> Callable[[Any, Any], str | None]:
    """A page's column: a field or an annotation that holds micro-dollars."""

    @admin.display(description=description, ordering=name)
    def column(page: Any, row: Any) -> str | None:
        return exact_dollars(getattr(row, name))

    return column


@admin.display(description="amount", ordering="amount_cents")
def amount_column(page: Any, row: Any) -> str | None:
    """A page's column: `amount_cents`, as dollars."""
    return exact_dollars(row.amount_cents * MICROS_PER_CENT)


def owner_link(user: User | None) -> str | None:
    """The person of an account, who may be gone: money outlives people."""
    return person_link(user.pk, user.display_name, user.email) if user else "deleted person"


def without_secrets(payload: Any) -> Any:
    """Whoever has a payment's client_secret can confirm it: it is shown nowhere."""
    if isinstance(payload, dict):
        return {key: "…" if key == "client_secret" else without_secrets(value) for key, value in payload.items()}
    return [without_secrets(each) for each in payload] if isinstance(payload, list) else payload


def readable(payload: Any) -> str:
    shown = json.dumps(without_secrets(payload), indent=2, ensure_ascii=False)
    return format_html("<pre>{}</pre>", shown)
