"""`manage.py check_ledger`: each kind of fault is planted, and named."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from billing import triggers
from billing.audit import guards, parts
from billing.audit.invariants import check_ledger
from billing.ledger import account_of, post_entry, set_balance
from billing.management.commands import check_ledger as command
from billing.models import Dispute, LedgerEntry, StripeEvent, TopUp
from core.triggers import make_way
from tests.billing.lifted import triggers_lifted
from tests.neighbours import ours
from users.models import User

pytestmark = pytest.mark.alone

BALANCES = "every balance is the one before it and the amount"
PEOPLE = "every person's balance is their account's last"
REFUSED = "the database refuses to change an entry"
UNIQUE = "the database refuses a second entry for one thing"
POSTED = "every top-up that succeeded has its entry"
ORPHANS = "every top-up entry has its top-up"
SHARED = "no payment is in two top-ups"
DISPUTES = "every dispute is on its payment's account"
REFUNDS = "every refund is on its payment's account"
PENDING = "no payment is pending for over an hour"
CHARGED = "every charged call has entries for what it says"
CALLED = "every entry of a call has its charged call"


def wrong():
    """What is named under which check."""
    found = check_ledger(now=timezone.now())
    return {each.check: list(each.named) for each in found if each.wrong}


@pytest.fixture
def ledger(tell, paid, stripe_double, alice, bob):
    """Alice paid, got something back, and disputes the rest; Bob's balance was set twice. The entries' ids."""
    tell("refund.created", stripe_double.refunded(paid, 500))
    tell("charge.dispute.funds_withdrawn", stripe_double.disputed(paid))
    set_balance(user=bob, balance_micros=5, memo="")
    set_balance(user=bob, balance_micros=7, memo="")
    return list(ours(LedgerEntry).order_by("id").values_list("id", flat=True))


def test_a_sound_ledger_is_said_to_be_sound(ledger, capsys):
    call_command("check_ledger")
    rows = [line.rsplit(maxsplit=2) for line in capsys.readouterr().out.splitlines()[1:]]
    looked_at = {title.strip(): (int(checked), int(found)) for title, checked, found in rows}
    assert looked_at == {
        BALANCES: (5, 0),
        PEOPLE: (2, 0),
        REFUSED: (2, 0),
        UNIQUE: (3, 0),
        POSTED: (1, 0),
        ORPHANS: (1, 0),
        SHARED: (1, 0),
        DISPUTES: (1, 0),
        REFUNDS: (1, 0),
        PENDING: (0, 0),
        CHARGED: (0, 0),
        CALLED: (0, 0),
    }


def test_an_empty_ledger_is_sound(alice):
    account_of(alice)
    assert wrong() == {}


def test_an_index_or_another_columns_constraint_is_none(ledger, monkeypatch):
    monkeypatch.setattr(guards, "UNIQUE", [("ledgerEntries", "account_id")])
    assert wrong() == {UNIQUE: ["ledgerEntries.account_id"]}


def test_who_waits_sees_how_far_it_is(ledger, capsys, monkeypatch):
    monkeypatch.setattr(command, "TOLD_EACH", 0.0)
    call_command("check_ledger")
    assert f"{BALANCES}: 5 so far" in capsys.readouterr().out


def test_what_could_not_be_tried_is_no_refusal(ledger, monkeypatch):
    """A full disk or a lock says nothing of the triggers."""
    monkeypatch.setitem(guards.ATTEMPTS, "UPDATE", 'UPDATE "nothing of ours" SET memo = memo')
    with pytest.raises(DatabaseError):
        wrong()


def test_a_fault_is_named_and_the_exit_code_tells(ledger, alice):
    User.objects.filter(pk=alice.pk).update(account_balance_micros=1)
    with pytest.raises(CommandError, match=rf"{PEOPLE}: 1 not \({alice.pk}\)"):
        call_command("check_ledger")


def test_of_many_faults_the_first_few_are_named(db):
    User.objects.bulk_create(User(email=f"{n}@example.com", account_balance_micros=1) for n in range(7))
    with pytest.raises(CommandError, match=r": 7 not \((\d+, ){5}…\)"):
        call_command("check_ledger")


# --- In parts, within a time --------------------------------------------------------------------------------------


@pytest.fixture
def faults(ledger, bob, paid, rows_at_once):
    """Of several kinds, in rows that lie in different parts."""
    with triggers_lifted():
        LedgerEntry.objects.filter(pk=ledger[1]).update(amount_micros=-1)
        LedgerEntry.objects.filter(pk=ledger[3]).update(amount_micros=6)
    User.objects.bulk_create(User(email=f"{n}@example.com", account_balance_micros=n) for n in range(3))
    TopUp.objects.create(account=bob.account, amount_cents=1, status="refused", payment=paid)


@pytest.fixture
def rows_at_once(request, monkeypatch):
    monkeypatch.setattr(parts, "AT_ONCE", request.param)


@pytest.mark.parametrize("rows_at_once", [1, 2, 100_000], indirect=True)
def test_read_in_parts_it_finds_what_it_finds_at_once(faults, ledger):
    found = wrong()
    assert {check: len(named) for check, named in found.items()} == {BALANCES: 2, PEOPLE: 2, SHARED: 2}
    assert found[BALANCES] == [str(ledger[1]), str(ledger[3])]


@pytest.mark.parametrize("rows_at_once", [1], indirect=True)
def test_who_waits_is_told_how_far_it_is(ledger, rows_at_once, monkeypatch, capsys):
    monkeypatch.setattr(command, "TOLD_EACH", 0)
    call_command("check_ledger")
    assert [line for line in capsys.readouterr().out.splitlines() if line.startswith(f"{PEOPLE}: ")] == [
        f"{PEOPLE}: {count} so far" for count in (1, 2, 2)
    ]


def test_what_the_time_does_not_suffice_for_is_said_and_is_no_success(ledger, capsys):
    with pytest.raises(CommandError) as error:
        call_command("check_ledger", seconds=0)
    said = str(error.value).splitlines()
    assert said[0] == "What was looked at is sound."
    assert f"{BALANCES}: it was not looked at" in said
    assert f"{CALLED}: it was not looked at" in said
    out = capsys.readouterr().out
    assert "stopped after 0 s: what is not in the table was not looked at. --seconds gives it longer" in out
    assert BALANCES not in out


def test_more_people_take_no_more_statements(ledger):
    def statements():
        with CaptureQueriesContext(connection) as queries:
            assert wrong() == {}
        return len(queries)

    few = statements()
    people = User.objects.bulk_create(User(email=f"{n}@example.com", display_name=f"{n}") for n in range(30))
    for person in people:
        set_balance(user=person, balance_micros=5, memo="")
    assert statements() == few


# --- Balances -------------------------------------------------------------------------------------------------------


def test_a_changed_amount_is_named_alone(ledger):
    with triggers_lifted():
        LedgerEntry.objects.filter(pk=ledger[3]).update(amount_micros=6)
    assert wrong() == {BALANCES: [str(ledger[3])]}


def test_a_changed_balance_is_named_with_the_next_one(ledger):
    with triggers_lifted():
        LedgerEntry.objects.filter(pk=ledger[3]).update(balance_after_micros=6)
    assert wrong() == {BALANCES: [str(ledger[3]), str(ledger[4])]}


def test_a_deleted_entry_is_missed_by_the_next_one(ledger):
    with triggers_lifted():
        LedgerEntry.objects.filter(pk=ledger[3]).delete()
    assert wrong() == {BALANCES: [str(ledger[4])]}


@pytest.mark.parametrize("micros", [1, None])
def test_a_person_whose_balance_is_not_their_accounts_is_named(ledger, bob, micros):
    User.objects.filter(pk=bob.pk).update(account_balance_micros=micros)
    assert wrong() == {PEOPLE: [str(bob.pk)]}


def test_a_person_without_an_account_has_nothing(ledger, carol):
    User.objects.filter(pk=carol.pk).update(account_balance_micros=0)
    assert wrong() == {}
    User.objects.filter(pk=carol.pk).update(account_balance_micros=1)
    assert wrong() == {PEOPLE: [str(carol.pk)]}


def test_of_many_people_without_entries_those_with_money_are_named(ledger):
    User.objects.bulk_create(User(email=f"{number}@example.com", account_balance_micros=0) for number in range(9))
    rich = User.objects.create(email="rich@example.com", account_balance_micros=1)
    assert wrong() == {PEOPLE: [str(rich.pk)]}


def test_the_money_of_somebody_who_is_gone_is_nobodys_balance(ledger, bob):
    bob.delete()
    assert wrong() == {}


# --- What the database itself refuses -------------------------------------------------------------------------------


def test_a_missing_trigger_is_named(ledger):
    connection.check_constraints()
    triggers.lift()
    verbs = ["UPDATE", "DELETE"] + ["TRUNCATE"] * (connection.vendor == "postgresql")
    missing = [f"no trigger against {verb}" for verb in verbs]
    assert wrong() == {REFUSED: [*missing, "UPDATE is not refused", "DELETE is not refused"]}
    assert ours(LedgerEntry).count() == len(ledger)


TOOTHLESS = {
    "sqlite": """DROP TRIGGER ledger_append_only_UPDATE;
        CREATE TRIGGER ledger_append_only_UPDATE BEFORE UPDATE ON "ledgerEntries" WHEN FALSE
        BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END""",
    "postgresql": """CREATE OR REPLACE FUNCTION ledger_append_only() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN IF TG_OP <> 'UPDATE' THEN RAISE EXCEPTION 'the ledger is append-only'; END IF; RETURN NULL; END $$""",
}


def test_a_trigger_that_does_not_refuse_is_named(ledger):
    statements = TOOTHLESS[connection.vendor]
    with connection.cursor() as cursor:
        for statement in statements.split(";\n") if connection.vendor == "sqlite" else [statements]:
            cursor.execute(statement)
    assert wrong() == {REFUSED: ["UPDATE is not refused"]}


def test_a_trigger_that_is_switched_off_is_named(on_postgresql, ledger):
    connection.check_constraints()
    with connection.cursor() as cursor:
        cursor.execute('ALTER TABLE "ledgerEntries" DISABLE TRIGGER ledger_append_only')
    assert "no trigger against TRUNCATE" in wrong()[REFUSED]


@pytest.fixture
def without_uniqueness(transactional_db):
    unique = LedgerEntry._meta.get_field("reference")
    plain = unique.clone()
    plain.set_attributes_from_name("reference")
    plain.model, plain._unique = LedgerEntry, False
    make_way(triggers.OWN_ENTRY)
    with connection.schema_editor() as editor:
        editor.alter_field(LedgerEntry, unique, plain)
    triggers.install()  # SQLite has made the table anew
    yield
    make_way(triggers.OWN_ENTRY)
    with connection.schema_editor() as editor:
        editor.alter_field(LedgerEntry, plain, unique)


def test_a_missing_constraint_is_named(without_uniqueness):
    assert wrong() == {UNIQUE: ["ledgerEntries.reference"]}


# --- Payments -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("changes", [{"amount_cents": 2001}, {"payment": "pi_another"}])
def test_a_top_up_whose_entry_says_something_else_is_named(ledger, changes):
    ours(TopUp).update(**changes)
    assert wrong()[POSTED] == [str(ours(TopUp).get().pk)]


def test_a_top_up_on_another_account_than_its_entry_is_named(ledger, bob):
    with triggers_lifted():
        ours(TopUp).update(account=bob.account)
    assert wrong() == {POSTED: [str(ours(TopUp).get().pk)]}


def test_a_top_up_with_an_entry_of_another_kind_is_named(ledger):
    with triggers_lifted():
        LedgerEntry.objects.filter(pk=ledger[0]).update(kind="adjustment")
    assert wrong()[POSTED] == [str(ours(TopUp).get().pk)]


def test_an_entry_that_no_top_up_brought_is_named(ledger, bob):
    entry = post_entry(account=bob.account, kind="top_up", amount_micros=1, reference="stripe:pi_x", memo="")
    assert wrong() == {ORPHANS: [str(entry.pk)]}


def test_a_payment_that_two_top_ups_claim_is_named(ledger, bob, paid):
    TopUp.objects.create(account=bob.account, amount_cents=1, status="refused", payment=paid)
    assert wrong() == {SHARED: sorted(str(pk) for pk in ours(TopUp).values_list("pk", flat=True))}


def test_payments_without_an_id_share_none(ledger, bob):
    for _ in range(2):
        TopUp.objects.create(account=bob.account, amount_cents=1, status="refused")
    assert wrong() == {}


def test_a_dispute_on_another_account_is_named(ledger, bob):
    ours(Dispute).update(account=bob.account)
    assert wrong() == {DISPUTES: [ours(Dispute).get().pk]}


def test_a_dispute_whose_money_came_back_to_another_account_is_named(ledger, bob):
    won = {"kind": LedgerEntry.Kind.DISPUTE_WON, "reference": f"stripe:{ours(Dispute).get().pk}:won", "memo": ""}
    post_entry(account=bob.account, amount_micros=5, **won)
    assert wrong() == {DISPUTES: [ours(Dispute).get().pk]}


def test_one_that_has_moved_nothing_is_too(ledger, bob, tell, stripe_double, paid):
    dispute = {**stripe_double.disputed(paid), "balance_transactions": []}
    tell("charge.dispute.created", dispute)
    Dispute.objects.filter(pk=dispute["id"]).update(account=bob.account)
    assert wrong() == {DISPUTES: [dispute["id"]]}


def test_a_dispute_of_another_payment_is_named(ledger):
    ours(Dispute).update(payment="pi_x")
    assert wrong() == {DISPUTES: [ours(Dispute).get().pk]}


def test_a_refund_on_another_account_is_named(ledger, bob):
    refund = LedgerEntry.objects.get(kind="refund")
    with triggers_lifted():
        LedgerEntry.objects.filter(pk=refund.pk).update(account=bob.account)
    assert wrong()[REFUNDS] == [StripeEvent.objects.get(type="refund.created").pk]


def test_a_refund_that_was_not_posted_is_on_no_account(ledger, tell, stripe_double, paid):
    refund = stripe_double.refunded(paid, 500)
    tell("refund.created", {**refund, "currency": "jpy"})
    assert wrong() == {}


@pytest.mark.parametrize("kind", ["refund.created", "refund.updated", "refund.failed"])
def test_a_refund_of_a_payment_that_never_came_is_named_whichever_event_has_told_of_it(ledger, alice, kind):
    event = StripeEvent.objects.get(type="refund.created")
    event.type, event.payload["data"]["object"]["payment_intent"] = kind, "pi_x"
    event.save()
    assert wrong() == {REFUNDS: [event.pk]}


def test_a_payment_that_is_pending_for_long_is_only_a_warning(ledger, bob, capsys):
    hours_ago = timezone.now() - timedelta(hours=2)
    late = TopUp.objects.create(account=bob.account, amount_cents=1, created_at=hours_ago)
    TopUp.objects.create(account=account_of(User.objects.create(email="new@example.com")), amount_cents=1)
    call_command("check_ledger")
    assert f"{PENDING}: 1 not ({late.pk})" in capsys.readouterr().out
