"""Whatever names a person is gone from the database with them: it is dumped before and after, and searched."""

from django.contrib.admin.models import LogEntry

from billing.models import LedgerEntry
from groups.models import Activity
from tests.doubles.stripe import event
from tests.neighbours import ours
from tests.users.deletion.dump import dump, where
from voice.models import Call


def test_before_it_all_is_there_and_after_it_nothing(known, delete, zdenka):
    before = where(known, dump())
    assert [what for what, tables in before.items() if not tables] == []
    delete(zdenka)
    assert {what: tables for what, tables in where(known, dump()).items() if tables} == {}


def test_nor_after_stripe_has_told_that_the_customer_is_gone(known, delete, zdenka, send, vendors):
    customer, card = zdenka.stripe_id, vendors["stripe"].methods[zdenka.cards.get().pk]
    delete(zdenka)
    for kind, thing in (
        ("payment_method.detached", {**card, "customer": None}),
        ("customer.deleted", {"id": customer, "object": "customer", "email": known["the email"]}),
        ("payment_method.automatically_updated", card),
    ):
        assert send(event(kind, thing)).status_code == 204
    assert {what: tables for what, tables in where(known, dump()).items() if tables} == {}


def test_the_person_is_looked_for_in_every_table(known, zdenka):
    """A table that the scene leaves empty would hide what it keeps."""
    empty = {table for table, text in dump().items() if not text}
    nobodys = {
        "issuerKeys",
        "sandboxObjects",
        "vendorDeletions",
        "erasures",
        "exports",
        "everyGroup",
        "auth_group_permissions",
    }
    of_groups = {"groupCalls", "dialInNumbers"}
    assert empty <= {*nobodys, *of_groups, "workers", "scheduledCommands", "sqlite_sequence"}


def test_the_books_stay_under_an_id(known, delete, zdenka):
    account = zdenka.account
    delete(zdenka)
    account.refresh_from_db()
    assert (account.user_id, account.balance_micros()) == (None, 20_000_000)
    assert [entry.memo for entry in ours(LedgerEntry).all()] == ["Money added by card"]
    assert set(ours(Call).values_list("sid", "user_id", "caller")) == {("CA1", zdenka.pk, ""), ("CA2", None, "")}


def test_the_history_says_what_was_done_and_to_which_id(known, delete, zdenka):
    delete(zdenka)
    history = LogEntry.objects.filter(content_type__model="user", object_id=str(zdenka.pk))
    assert {entry.object_repr for entry in history} == {f"deleted person {zdenka.pk}"}
    messages = {entry.get_change_message() for entry in LogEntry.objects.filter(content_type__model="group")}
    assert messages == {"Added activity “Alice invited deleted person”.", "Wrote to deleted person."}


def test_what_others_did_stays(known, delete, zdenka):
    delete(zdenka)
    assert list(ours(Activity).order_by("pk").values_list("activity", flat=True)) == [
        "Alice invited deleted person (call deleted person)",
        "Alice asked deleted person, whom we call deleted person",
    ]
