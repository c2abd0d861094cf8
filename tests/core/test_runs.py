"""A run of a command is bounded, whatever vendors do, and says what it leaves."""

from contextlib import suppress
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from billing.management.commands import check_ledger, reconcile_payments
from core import runs
from core.attempts import Attempts
from core.deadline import deadline
from core.runs import BoundedCommand
from users.management.commands import reconcile_deletions
from voice.management.commands import reconcile_calls, sync_call_prices
from voice.models import Call
from voicechat.management.commands import prune


@pytest.mark.parametrize(
    "module", [reconcile_calls, sync_call_prices, reconcile_payments, reconcile_deletions, check_ledger, prune]
)
def test_each_command_of_the_scheduler_is_bounded(module):
    assert issubclass(module.Command, BoundedCommand)


def test_attempts_are_over_with_the_time_of_the_run():
    with deadline(60):
        assert not Attempts().is_over
    with deadline(0):
        assert Attempts().is_over
    assert not Attempts().is_over


@pytest.mark.parametrize("command", ["sync_call_prices", "reconcile_calls", "reconcile_payments"])
def test_out_of_time_it_asks_nobody_and_says_so(db, twilio_double, twilio_telephony, monkeypatch, capsys, command):
    Call.objects.create(sid="CA1", price_due_at=timezone.now(), heard_at=timezone.now() - timedelta(hours=1))
    monkeypatch.setattr(runs, "MOST_SECONDS", 0)
    with suppress(CommandError):  # it says what is left
        call_command(command)
    assert "stopped after 0 s: the rest is for the next run" in capsys.readouterr().out
    assert twilio_double.requests == []


def test_a_price_that_one_run_asks_for_is_not_asked_for_by_another(db, twilio_double, twilio_telephony, monkeypatch):
    sid = twilio_double.call(price="-0.0170")
    Call.objects.create(sid=sid, duration=61, end_time=timezone.now(), price_due_at=timezone.now())
    real = type(twilio_telephony).call

    def call(self, **asked):
        monkeypatch.setattr(type(twilio_telephony), "call", real)
        call_command("sync_call_prices")  # meanwhile
        return real(self, **asked)

    monkeypatch.setattr(type(twilio_telephony), "call", call)
    call_command("sync_call_prices")
    assert len(twilio_double.requests) == 1
