"""What tests cost of the processor's time, those of the processes that they start included: the suite is to stay short.

The clock on the wall would also measure whatever runs beside. The long proofs (`make fuzz`, `money`, `pairs`) are free.
"""

import os
from collections.abc import Iterator
from typing import Any

import pytest

MOST = 30.0
"""Seconds that one test may take: twice and more what the longest one does."""
MANY, SHOWN = 1000, 10
"""Of so many tests, so many of the costliest are named at the end."""
INSTEAD = "A long proof is a make target, with a short form here."
COST = "seconds of the processor"
is_long = any(os.environ.get(name) for name in ("FUZZ", "MONEY", "PAIRS"))


def spent() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    item.began = spent()  # type: ignore[attr-defined]
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report: Any = yield
    if call.when == "teardown":
        cost = spent() - item.began  # type: ignore[attr-defined]
        report.user_properties.append((COST, cost))
        if cost > MOST and not is_long and report.passed:
            report.outcome = "failed"
            report.longrepr = f"It took {cost:.1f} s of the processor's time; {MOST:.0f} are the most. {INSTEAD}"
    return report


def pytest_terminal_summary(terminalreporter: Any) -> None:
    reports = [each for all_ in terminalreporter.stats.values() for each in all_ if hasattr(each, "user_properties")]
    costs = {each.nodeid: cost for each in reports for name, cost in each.user_properties if name == COST}
    if len(costs) < MANY:
        return
    terminalreporter.section(f"{sum(costs.values()):.0f} seconds of the processor's time; the costliest")
    for name in sorted(costs, key=costs.__getitem__, reverse=True)[:SHOWN]:
        terminalreporter.write_line(f"{costs[name]:6.1f} s  {name}")
