"""What PostgreSQL breaks off for another transaction, an operator's page does all the same: once."""

from functools import partial
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.utils import timezone

from billing.ledger import account_of, set_balance
from billing.models import LedgerEntry
from groups.models import Group
from tests.admin.conftest import WHY, Browser, delete, delete_together, text
from tests.neighbours import ours
from tests.voice.conferences.test_event_races import at_once
from users.models import User
from users.operators.in_parts import packed
from voice.models import Call

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(on_postgresql: None, root: User, alice: User, bob: User, group: Group) -> dict[str, Any]:
    set_balance(user=alice, balance_micros=5_000_000, memo="")
    call = Call.objects.create(sid="CA1", payer=account_of(alice), duration=61, end_time=timezone.now())
    return {"alice": alice, "bob": bob, "group": group, "call": call, "account": account_of(alice), "root": root}


def form(browser: Browser, row: Any, page: str, **fields: Any) -> Any:
    """The form of a row's page, opened and filled in."""
    path = f"/admin/{row._meta.app_label}/{row._meta.model_name}/{row.pk}/{page}/"
    return partial(browser.post, path, {**browser.form(path), **fields}, follow=True)


def parts(browser: Browser, world: dict[str, Any]) -> Any:
    rest = packed([world["alice"].pk], 1, world["root"].pk)
    return partial(browser.post, "/admin/users/user/delete-in-parts/", {"rest": rest, "why": WHY}, follow=True)


PASSWORDS = {"password1": "a long one 4711", "password2": "a long one 4711", "usable_password": "true"}
WRITES = {
    "a person's page": ("alice", lambda b, w: form(b, w["alice"], "change", last_name="Ames"), "changed successfully"),
    "a group's page": ("group", lambda b, w: form(b, w["group"], "change", name="Others"), "changed successfully"),
    "a password": ("alice", lambda b, w: form(b, w["alice"], "password", **PASSWORDS), "Password changed"),
    "a person's deletion": ("account", lambda b, w: partial(delete, b, w["alice"]), ""),
    "people's deletion": ("account", lambda b, w: partial(delete_together, b, w["alice"]), ""),
    "people's deletion in parts": ("account", parts, "Deleted: 1 people"),
    "a group's deletion": ("group", lambda b, w: partial(delete, b, w["group"]), ""),
    "an adjustment": (
        *("account", lambda b, w: form(b, w["account"], "adjust", amount="1", reason="thanks")),
        "Adjusted by $1.00. The balance is $6.00",
    ),
    "a settled call": (
        *("account", lambda b, w: form(b, w["call"], "settle", amount="0.01", reason="thanks")),
        "Settled by $0.01 in all. ",
    ),
}
"""Which row each has locked when it comes to its end, how it is sent, and what the operator is told."""


@pytest.mark.parametrize("name", WRITES)
def test_a_write_that_is_broken_off_is_done_once(
    name: str, world: dict[str, Any], browser: Browser, root: User, caplog: Any
) -> None:
    """Another transaction has the operator's row, which a page's last entry in the history needs, and then waits for
    what the page has locked: PostgreSQL breaks off the page."""
    held, prepare, told = WRITES[name]
    send, answers = prepare(browser, world), []

    def page() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET deadlock_timeout = '100ms'")
        answers.append(send())

    row = world[held]
    at_once(
        lambda: User.objects.select_for_update().get(pk=root.pk),
        page,
        then=lambda: type(row).objects.select_for_update().get(pk=row.pk),
    )
    assert "met another transaction and is tried again" in caplog.text
    assert answers[0].status_code in (200, 302)
    assert text(answers[0]).count(told) == 1 or not told
    assert LogEntry.objects.count() == 1
    assert User.objects.filter(pk=world["alice"].pk).exists() == (not name.startswith(("a person's d", "people's d")))
    assert ours(LedgerEntry).count() == (2 if name in ("an adjustment", "a settled call") else 1)
