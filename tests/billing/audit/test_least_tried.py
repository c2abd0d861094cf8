"""Payments that always fail: they hold up no others, and only an outage ends a run."""

from datetime import timedelta

import pytest
from django.utils import timezone

from billing import top_ups
from billing.audit import reconciliation
from billing.audit.report import Report
from billing.gateway.interface import PaymentsUnavailable
from billing.ledger import account_of
from billing.models import TopUp
from billing.top_ups import BankUndecided
from tests.conftest import person


@pytest.fixture
def left(db):
    """Five payments left pending, the oldest first."""
    begun = timezone.now() - timedelta(hours=1)
    return [
        TopUp.objects.create(
            account=account_of(person(f"P{number}")), amount_cents=1, created_at=begun + timedelta(seconds=number)
        )
        for number in range(5)
    ]


@pytest.fixture
def run(left, monkeypatch):
    """Runs it while each payment fails so; which were tried, by their place."""

    def run(error):
        tried = []

        def finish(top_up, **options):
            tried.append(left.index(top_up))
            TopUp.objects.update(in_flight_until=None)
            raise error

        monkeypatch.setattr(top_ups, "finish", finish)
        reconciliation.finish_pending(Report(), timezone.now())
        return tried

    return run


def test_an_undecided_bank_ends_no_run(run):
    assert run(BankUndecided) == [0, 1, 2, 3, 4]


def test_an_outage_ends_it(run):
    assert run(PaymentsUnavailable) == [0, 1, 2]


def test_the_next_run_begins_with_those_tried_least_recently(run):
    assert [run(PaymentsUnavailable), run(PaymentsUnavailable)] == [[0, 1, 2], [3, 4, 0]]


def test_what_always_fails_stands_behind_what_was_not_tried_yet(run, monkeypatch):
    monkeypatch.setattr(reconciliation, "MOST_AT_ONCE", 3)
    assert [run(BankUndecided), run(BankUndecided)] == [[0, 1, 2], [3, 4, 0]]
