"""What operators see first: how things stand, in numbers that lead to their rows, and pictures drawn here.

An upper app adds what it knows: `@on_first_page`. A panel is shown to whoever may look at the rows behind it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import TruncDate
from django.http import HttpRequest
from django.utils import timezone

DAYS = 14
HEIGHT, STEP, GAP = 60, 20, 4
"""Of a picture, in its own units: its height, what a day takes, and what is free between two."""


@dataclass(frozen=True, slots=True)
class Figure:
    words: str
    value: str
    address: str = ""
    """Where the rows behind it are listed."""
    is_alarm: bool = False
    """Whether somebody should do something about it."""


@dataclass(frozen=True, slots=True)
class Bar:
    day: date
    value: str
    x: int
    height: int

    @property
    def y(self) -> int:
        return HEIGHT - self.height


@dataclass(frozen=True, slots=True)
class Picture:
    """A bar for each of the last days."""

    words: str
    bars: list[Bar]
    total: str
    width: int = DAYS * STEP
    height: int = HEIGHT
    bar_width: int = STEP - GAP


@dataclass(frozen=True, slots=True)
class Panel:
    title: str
    figures: list[Figure]
    pictures: list[Picture] = field(default_factory=list)


panels: list[tuple[str, Callable[[datetime], Panel]]] = []


def on_first_page(permission: str) -> Callable[[Callable[[datetime], Panel]], Callable[[datetime], Panel]]:
    """Adds a panel for operators who have this permission, such as `voice.view_call`."""

    def add(panel: Callable[[datetime], Panel]) -> Callable[[datetime], Panel]:
        panels.append((permission, panel))
        return panel

    return add


def shown_to(request: HttpRequest) -> list[Panel]:
    now = timezone.now()
    return [panel(now) for permission, panel in panels if request.user.has_perm(permission)]


def last_days(now: datetime) -> list[date]:
    """Of the zone that is current, the oldest first."""
    today = timezone.localdate(now)
    return [today - timedelta(days=back) for back in reversed(range(DAYS))]


def since(now: datetime) -> datetime:
    """When the first of these days began."""
    return timezone.make_aware(datetime.combine(last_days(now)[0], datetime.min.time()))


def by_day(rows: QuerySet[Any], column: str, now: datetime, **sums: Any) -> dict[date, dict[str, Any]]:
    """What comes together on each of the last days, where anything does."""
    recent = rows.filter(**{f"{column}__gte": since(now)}).order_by()
    found = recent.annotate(day=TruncDate(column)).values("day").annotate(**sums)
    return {row["day"]: row for row in found}


def picture(words: str, now: datetime, values: dict[date, int], written: Callable[[int], str] = str) -> Picture:
    shown = [(day, values.get(day, 0)) for day in last_days(now)]
    most = max(value for _, value in shown)
    bars = [
        Bar(day, written(value), x=number * STEP, height=bar_height(value, most))
        for number, (day, value) in enumerate(shown)
    ]
    return Picture(words, bars, total=written(sum(value for _, value in shown)))


def bar_height(value: int, most: int) -> int:
    """What is not nothing can be seen."""
    return max(1, HEIGHT * value // most) if value > 0 else 0
