"""What is left and always fails: it holds up nothing else, and only an outage ends a run."""

from datetime import timedelta

import pytest
from django.utils import timezone

from billing import top_ups
from billing.audit import reconciliation
from billing.audit.report import Report
from billing.gateway.interface import PaymentsUnavailable
from billing.ledger import account_of
from billing.models import Dispute, RefundRequest, StripeEvent, TopUp
from billing.top_ups import BankUndecided
from billing.webhook import EventNotApplied
from tests.conftest import person
from tests.neighbours import ours

BEGUN = timezone.now() - timedelta(days=2)


def account(number):
    return account_of(person(f"P{number}"))


def top_up(number, **fields):
    return TopUp.objects.create(account=account(number), amount_cents=1, **fields)


def refund_request(number, *, created_at, try_at):
    asked = {"key": str(number), "amount_cents": 1, "created_at": created_at, "asked_at": created_at, "try_at": try_at}
    paid = top_up(number, status="refused")
    return RefundRequest.objects.create(account=paid.account, top_up=paid, **asked)


KINDS = {
    "payments": (top_up, top_ups, "finish", reconciliation.finish_pending),
    "consents": (
        lambda number, **times: top_up(number, status="consent", **times),
        *(reconciliation, "cancel", reconciliation.cancel_old_consents),
    ),
    "events": (
        lambda number, **times: StripeEvent.objects.create(id=str(number), payload={}, **times),
        *(reconciliation, "apply_again", reconciliation.apply_events),
    ),
    "refunds": (refund_request, reconciliation, "finish_request", reconciliation.finish_refunds),
    "disputes": (
        lambda number, **times: Dispute.objects.create(
            id=str(number), account=account(number), amount_cents=1, **times
        ),
        *(reconciliation, "follow", reconciliation.follow_disputes),
    ),
}
"""What makes one, what is asked of Stripe about it, and what tries all of them."""


@pytest.fixture(params=KINDS)
def run(db, request, monkeypatch):
    """Five are left, the oldest first. Runs what tries them, while each fails so; which were tried, by their place."""
    make, module, name, try_all = KINDS[request.param]
    times = [BEGUN + timedelta(seconds=number) for number in range(5)]
    left = [make(number, created_at=time, try_at=time) for number, time in enumerate(times)]

    def run(error):
        tried = []

        def work(row, **options):
            tried.append(left.index(row))
            ours(TopUp).update(in_flight_until=None)
            raise error

        monkeypatch.setattr(module, name, work)
        run.report = Report()
        try_all(run.report, timezone.now())
        return tried

    return run


LONG_AGO = BEGUN - timedelta(days=30)
MOMENTS = {
    "payments": ("payments", {"created_at": BEGUN, "try_at": LONG_AGO, "in_flight_until": BEGUN}, True),
    "consents of a day": ("consents", {"created_at": BEGUN - timedelta(days=1), "try_at": LONG_AGO}, False),
    "consents": ("consents", {"created_at": LONG_AGO, "try_at": BEGUN}, True),
    "events of a week": ("events", {"created_at": BEGUN - timedelta(days=7), "try_at": LONG_AGO}, False),
    "events": ("events", {"created_at": BEGUN, "try_at": BEGUN}, True),
    "refunds of half a minute": ("refunds", {"created_at": BEGUN - top_ups.IN_FLIGHT, "try_at": LONG_AGO}, False),
    "refunds": ("refunds", {"created_at": LONG_AGO, "try_at": BEGUN}, True),
    "disputes": ("disputes", {"created_at": LONG_AGO, "try_at": BEGUN}, True),
}


@pytest.mark.parametrize(("kind", "times", "is_tried"), MOMENTS.values(), ids=MOMENTS)
def test_it_is_due_to_the_moment(db, monkeypatch, kind, times, is_tried):
    make, module, name, try_all = KINDS[kind]
    make(1, **times)
    tried = []
    monkeypatch.setattr(module, name, lambda row, **_: tried.append(row) or True)
    try_all(Report(), BEGUN)
    assert bool(tried) is is_tried


@pytest.mark.parametrize("error", [BankUndecided, EventNotApplied, KeyError])
def test_what_is_no_outage_ends_no_run(run, error, monkeypatch):
    monkeypatch.setattr(reconciliation, "MOST_AT_ONCE", 5)
    assert run(error) == [0, 1, 2, 3, 4]
    assert len(run.report.left) == 5


def test_of_two_runs_that_have_read_the_same_each_does_what_the_other_has_not(db, monkeypatch):
    for number in range(2):
        Dispute.objects.create(id=str(number), account=account(number), amount_cents=1)
    done = []

    def follow(row):
        done.append(row.pk)
        if len(done) == 1:
            reconciliation.follow_disputes(Report(), timezone.now())
        return True

    monkeypatch.setattr(reconciliation, "follow", follow)
    reconciliation.follow_disputes(Report(), timezone.now())
    assert done == ["0", "1"]


def test_an_outage_ends_it_and_it_says_what_it_left(run):
    assert run(PaymentsUnavailable) == [0, 1, 2]
    assert [each.partition(": ")[2] for each in run.report.left[3:]] == ["not tried, for Stripe does not answer"] * 2


def test_the_next_run_begins_with_those_tried_least_recently(run):
    assert [run(PaymentsUnavailable), run(PaymentsUnavailable)] == [[0, 1, 2], [3, 4, 0]]


def test_what_always_fails_stands_behind_what_was_not_tried_yet(run, monkeypatch):
    monkeypatch.setattr(reconciliation, "MOST_AT_ONCE", 3)
    assert [run(BankUndecided), run(BankUndecided)] == [[0, 1, 2], [3, 4, 0]]
    assert run.report.left[0] == "2 more, for the next run"
