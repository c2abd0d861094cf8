"""`manage.py check_ledger` compares what calls say of their charge with the ledger's entries."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from billing.audit import parts
from billing.ledger import account_of, post_entry, set_balance
from billing.models import LedgerEntry
from tests.billing.lifted import triggers_lifted
from tests.neighbours import ours
from voice.credit.audit import CALLED, CHARGED
from voice.credit.charges import post_price, settle_at_our_rates, settle_by_staff
from voice.models import Call


@pytest.fixture
def calls(leg, twilio, group, alice, bob):
    """Alice pays five: priced, corrected twice, at our rates and then priced, settled by staff, and one for nothing.

    Bob has paid none: his account is a part of its own.
    """
    set_balance(user=bob, balance_micros=5, memo="")
    set_balance(user=alice, balance_micros=10_000_000, memo="")
    for number in range(1, 6):
        leg(bob, f"CA{number}")
        twilio("/api/voice/callEvents", CallSid=f"CA{number}", CallStatus="completed", CallDuration="61")
    priced, corrected, late, by_hand, free = ours(Call).order_by("id")
    post_price(priced, -17_000, now=timezone.now())
    for price in (-17_000, -34_000, -8_500):
        post_price(corrected, price, now=timezone.now())
    settle_at_our_rates(late)
    post_price(late, -17_001, now=timezone.now() + timedelta(days=1))
    settle_by_staff(by_hand, 5_000, reason="As agreed")
    settle_by_staff(free, 0, reason="A gift")


@pytest.fixture
def found(monkeypatch):
    """What is named, by check: the same in parts of an account and at once."""

    def found():
        named = []
        for at_once in (1, 100_000):
            monkeypatch.setattr(parts, "AT_ONCE", at_once)
            named.append(differences())
        assert named[0] == named[1]
        return named[0]

    return found


def differences():
    try:
        call_command("check_ledger")
    except CommandError as error:
        lines = str(error).splitlines()[1:]
        return {check: named for check, _, named in (line.partition(": ") for line in lines)}
    return {}


def plant(statement, *values):
    with triggers_lifted(), connection.cursor() as cursor:
        cursor.execute(statement, values)


@pytest.mark.alone
def test_an_untouched_world_has_no_difference(calls, found, capsys):
    assert found() == {}
    lines = [line.rsplit(maxsplit=2)[:2] for line in capsys.readouterr().out.splitlines()]
    assert (lines.count([CHARGED, "5"]), lines.count([CALLED, "7"])) == (2, 2)
    assert LedgerEntry.objects.filter(kind="call", reference__contains=":corrected:").count() == 3


@pytest.mark.alone
@pytest.mark.parametrize(("sid", "micros"), [("CA1", 20_601), ("CA2", 0), ("CA4", -5_000), ("CA5", 1)])
def test_a_call_that_says_another_amount_is_named(calls, found, sid, micros):
    plant('UPDATE "callSessions" SET charged_micros = %s WHERE sid = %s', micros, sid)
    assert found() == {CHARGED: f"1 not ({sid})"}


@pytest.mark.alone
def test_a_call_that_says_no_charge_any_more_leaves_an_entry_without_a_call(calls, found):
    plant('UPDATE "callSessions" SET charged_micros = NULL WHERE sid = %s', "CA3")
    assert found() == {CALLED: "1 not (CA3)"}


@pytest.mark.alone
def test_a_call_that_is_gone_leaves_an_entry_without_a_call(calls, found):
    plant('DELETE FROM "callSessions" WHERE sid = %s', "CA2")
    assert found() == {CALLED: "1 not (CA2)"}


@pytest.mark.alone
def test_a_call_that_names_another_payer_is_named_and_so_is_its_entry(calls, found, bob):
    plant('UPDATE "callSessions" SET payer_id = %s WHERE sid = %s', account_of(bob).pk, "CA1")
    assert found() == {CHARGED: "1 not (CA1)", CALLED: "1 not (CA1)"}


@pytest.mark.alone
def test_a_call_that_names_no_payer_is_named_and_so_is_its_entry(calls, found):
    plant('UPDATE "callSessions" SET payer_id = NULL WHERE sid = %s', "CA1")
    assert found() == {CHARGED: "1 not (CA1)", CALLED: "1 not (CA1)"}


@pytest.mark.parametrize(
    ("reference", "sid"), [("twilio:CA1", "CA1"), ("twilio:CA2:corrected:1", "CA2"), ("twilio:CA4", "CA4")]
)
def test_an_entry_that_is_gone_is_missed_by_its_call(calls, found, reference, sid):
    plant('DELETE FROM "ledgerEntries" WHERE reference = %s', reference)
    assert found()[CHARGED] == f"1 not ({sid})"


@pytest.mark.parametrize("reference", ["twilio:CA2", "twilio:CA2:corrected:2"])
def test_an_entry_of_another_amount_is_missed_by_its_call(calls, found, reference):
    plant('UPDATE "ledgerEntries" SET amount_micros = amount_micros - 1 WHERE reference = %s', reference)
    assert found()[CHARGED] == "1 not (CA2)"


def test_an_entry_on_another_account_is_named_and_so_is_its_call(calls, found, bob):
    account = account_of(bob).pk
    plant('UPDATE "ledgerEntries" SET account_id = %s WHERE reference = %s', account, "twilio:CA1")
    told = found()
    assert (told[CHARGED], told[CALLED]) == ("1 not (CA1)", "1 not (CA1)")


@pytest.mark.alone
def test_an_entry_of_another_kind_is_missed_by_its_call(calls, found):
    plant("UPDATE \"ledgerEntries\" SET kind = 'adjustment' WHERE reference = %s", "twilio:CA1")
    assert found() == {CHARGED: "1 not (CA1)"}


@pytest.mark.alone
@pytest.mark.parametrize(
    ("references", "named"),
    [(["twilio:CA9"], "CA9"), (["twilio:CA9", "twilio:CA9:corrected:1"], "CA9"), (["x:1"], "x:1")],
)
def test_entries_of_no_call_are_named_also_where_they_come_to_nothing(calls, found, alice, references, named):
    for reference, micros in zip(references, (-5, 5), strict=False):
        post_entry(account=account_of(alice), kind="call", amount_micros=micros, reference=reference, memo="")
    assert found() == {CALLED: f"1 not ({named})"}


@pytest.mark.alone
def test_two_calls_that_err_in_opposite_ways_are_both_named(calls, found):
    plant('UPDATE "callSessions" SET charged_micros = charged_micros + 1 WHERE sid = %s', "CA1")
    plant('UPDATE "callSessions" SET charged_micros = charged_micros - 1 WHERE sid = %s', "CA3")
    assert found() == {CHARGED: "2 not (CA1, CA3)"}
