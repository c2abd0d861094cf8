"""Whatever names a person is gone from the database with them: it is dumped before and after, and searched."""

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from billing.models import LedgerEntry
from groups.models import Activity, Group
from tests.doubles.stripe import event
from tests.neighbours import ours
from tests.users.deletion.dump import dump, where
from users.models import Erasure, User
from voice.models import Call

BY_API = pytest.mark.parametrize("delete", ["api"], indirect=True)


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


@pytest.fixture
def root(db):
    return User.objects.create_superuser("root@example.com", display_name="Root")


def noted(root, model, zdenka, words):
    about = ContentType.objects.get_for_model(model)
    return LogEntry.objects.create(
        user=root, content_type=about, object_id=str(zdenka.pk), object_repr=words, action_flag=CHANGE
    )


@BY_API
def test_other_things_with_that_id_are_called_as_before_but_for_what_is_theirs_alone(known, delete, zdenka, root):
    kept, said = noted(root, Erasure, zdenka, "a row"), noted(root, Group, zdenka, f"of {zdenka.email}")
    delete(zdenka)
    for entry in (kept, said):
        entry.refresh_from_db()
    assert (kept.object_repr, said.object_repr) == ("a row", "of deleted person")


@BY_API
def test_other_operators_stay_signed_in(known, delete, zdenka, root):
    browser = Client()
    browser.force_login(root)
    delete(zdenka)
    assert Session.objects.filter(pk=browser.session.session_key).exists()


@BY_API
def test_an_id_that_was_erased_before_is_no_hindrance(known, delete, zdenka):
    Erasure.objects.create(person_id=zdenka.pk, erased_at=timezone.now())
    delete(zdenka)
    assert not User.objects.filter(pk=zdenka.pk).exists()


def test_what_others_did_stays(known, delete, zdenka):
    delete(zdenka)
    assert list(ours(Activity).order_by("pk").values_list("activity", flat=True)) == [
        "Alice invited deleted person (call deleted person)",
        "Alice asked deleted person, whom we call deleted person",
    ]
