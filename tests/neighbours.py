"""Another family, in every table, beside whatever a test does.

A condition that picks one row is missed only where there is another. So theirs have ids below all others, and whoever
takes the first row takes theirs; nothing of theirs is due; and at the end all of it must be as it was. What a test has
made itself it asks for by `ours(Call).get()`. A test that is about all that there is says `@pytest.mark.alone`.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, models, transaction
from django.utils import timezone

from billing.models import (
    Account,
    Card,
    CardRefusal,
    Dispute,
    FormerCustomer,
    LedgerEntry,
    RefundRequest,
    StripeEvent,
    TopUp,
)
from groups.models import (
    Activity,
    Caption,
    Departure,
    Device,
    Group,
    Invitation,
    InvitationLink,
    Membership,
    Ownership,
    PartialCaption,
    Participant,
    Push,
    Ring,
)
from groups.notifications.models import SandboxEmail, SandboxMessage
from tests.emptying import empty
from users.models import (
    Export,
    KeptAnswer,
    NotificationChoices,
    PendingVerification,
    StreamTicket,
    User,
    VerifiedNumber,
)
from voice.models import Call, Conference, ConferenceEvent, DialInCode, DialInNumber, GroupCall, HangUp

NORA, NILS, INES = -3, -2, -1
"""Their owner, who pays; a member, who is on the call; somebody invited."""
GROUP, PAYER = -1, -1
BALANCE = 7_000_000
FAR = timedelta(days=9000)
TESTS = Path(__file__).parent
FOLDERS = {"access", "admin", "billing", "export", "groups", "users", "voice", "wire"}
"""Of the tests of what people do, and what becomes of it. Those of the door and of streams look on from outside, by
connections that would wait for a test that has written."""


def rows() -> Iterator[models.Model]:
    """Each after those on which it stands. All of it begins in many years: whatever a test's clock says, nothing of
    theirs is old. But their money came long ago, so that nobody asks Stripe about it any more."""
    later = timezone.now() + FAR
    for row in (*people(later), *group(later), *told(later), *money(later), *calls(later)):
        if hasattr(row, "created_at"):
            row.created_at = later - 2 * FAR if isinstance(row, LedgerEntry) else later
        yield row


def people(later: datetime) -> Iterator[models.Model]:
    for pk, name in ((NORA, "Nora"), (NILS, "Nils"), (INES, "Ines")):
        subject = {"oidc_issuer": "https://neighbours.example", "oidc_subject": name, "stripe_id": f"cus_{name}"}
        subject |= {"account_balance_micros": BALANCE if pk == NORA else 0}
        yield User(pk=pk, email=f"{name.lower()}@neighbours.example", display_name=name, **subject)
    yield VerifiedNumber(pk=-1, user_id=NILS, number="+18885550101", verified_at=later)
    yield PendingVerification(
        pk=-1, user_id=INES, number="+18885550104", channel="sms", sid="VEneighbours", expires_at=later
    )
    yield NotificationChoices(pk=-1, user_id=INES, sms=True)
    yield StreamTicket(digest="neighbours", user_id=NORA, until=later)
    yield Export(pk=UUID(int=3), user_id=NORA, ordered_at=later)
    yield KeptAnswer(name="neighbours", body="neighbours", user_id=NORA, status=201, made={}, until=later)


def group(later: datetime) -> Iterator[models.Model]:
    yield Group(pk=GROUP, name="The neighbours", phone_number="+18885550100")
    yield Ownership(pk=-1, group_id=GROUP, user_id=NORA)
    yield Membership(pk=-2, group_id=GROUP, user_id=NORA)
    yield Membership(pk=-1, group_id=GROUP, user_id=NILS)
    yield Invitation(pk=-1, group_id=GROUP, user_id=INES, invited_by_id=NORA)
    yield Participant(pk=-1, group_id=GROUP, user_id=NILS)
    yield Activity(pk=-1, group_id=GROUP, user_id=NILS, activity="Nils said hello to Alice and Bob")
    yield Departure(pk=-1, group_id=GROUP, user_id=INES, left_at=later)
    yield Ring(pk=-1, group_id=GROUP, user_id=INES, by_id=NORA, state=Ring.State.RINGING, changed_at=later)
    link = {"digest": "neighbours", "nonce": "n", "max_uses": 5, "expires_at": later}
    yield InvitationLink(pk=-1, group_id=GROUP, made_by_id=NORA, **link)
    yield DialInNumber(pk=-1, group_id=GROUP, number="+18885550102")
    yield DialInCode(pk=-1, group_id=GROUP, user_id=NILS, seed="neighbours", digest="neighbours")


def told(later: datetime) -> Iterator[models.Model]:
    for pk, user in ((-2, NILS), (-1, None)):
        phone = {"identity": f"u_{user or -9}", "address": f"neighbours{pk}", "sid": f"BSneighbours{pk}"}
        yield Device(pk=pk, user_id=user, binding_type="fcm", endpoint="e", checked_at=later, **phone)
    push = {"group_id": GROUP, "body": "Alice and Bob talk", "until_at": later, "devices": 1, "told": 1}
    yield Push(pk=-1, cause="call:CFneighbours", **push)
    yield SandboxEmail(pk=-1, to="ines@neighbours.example", subject="Neighbours", text="Neighbours", html="Neighbours")
    yield SandboxMessage(pk=-1, to="+18885550101", body="Neighbours")


def money(later: datetime) -> Iterator[models.Model]:
    yield Account(pk=PAYER, user_id=NORA)
    added = {"kind": "top_up", "amount_micros": BALANCE, "balance_after_micros": BALANCE}
    yield LedgerEntry(pk=-1, account_id=PAYER, reference="stripe:pi_neighbours", memo="", **added)
    paid = {"account_id": PAYER, "customer": "cus_Nora", "try_at": later}
    booked, begun = {"entry_id": -1, "payment": "pi_neighbours"}, {"in_flight_until": later}
    yield TopUp(pk=UUID(int=1), status="succeeded", amount_cents=700, **paid, **booked)
    yield TopUp(pk=UUID(int=2), status="pending", amount_cents=900, **paid, **begun)
    mine = {"account_id": PAYER, "try_at": later}
    yield RefundRequest(key="neighbours", top_up_id=UUID(int=1), amount_cents=50, status="made", **mine)
    yield Dispute(id="du_neighbours", payment="pi_neighbours", amount_cents=700, status="won", settled=True, **mine)
    card = {"brand": "visa", "last4": "9999", "exp_month": 3, "exp_year": 2099}
    yield Card(id="pm_neighbours", user_id=NORA, is_default=True, **card)
    yield FormerCustomer(id="cus_neighbours", user_id=NORA)
    yield CardRefusal(pk=-1, user_id=NORA, who="n" * 64, amount_cents=900, why="Declined.")
    yield StripeEvent(id="evt_neighbours", type="refund.created", payload={}, applied_at=later)


def calls(later: datetime) -> Iterator[models.Model]:
    yield GroupCall(group_id=GROUP, locked=True)
    yield Conference(sid="CFneighbours0", group_id=GROUP, heard_at=later, completed=True, ended_at=later)
    yield Conference(sid="CFneighbours", group_id=GROUP, heard_at=later, notified_at=later, announcement="told")
    join = {"sequence_number": 1, "kind": "participant-join", "call_sid": "CAneighbours", "payload": {}}
    yield ConferenceEvent(pk=-1, conference_id="CFneighbours", **join)
    leg = {"group_id": GROUP, "start_time": later, "heard_at": later}
    ended = {"status": "completed", "end_time": later, "duration": 60, "conference_id": "CFneighbours0"}
    yield Call(pk=-3, sid="CAneighbours0", user_id=NILS, price_micros=0, settled_by="price", **ended, **leg)
    leg |= {"payer_id": PAYER, "conference_id": "CFneighbours", "is_on": True}
    yield Call(pk=-2, sid="CAneighbours", user_id=NILS, **leg)
    rung = {"ring_id": -1, "ring_answer": "joined", "out_since": later, "menu_at": later}
    yield Call(pk=-1, sid="CAneighbours2", caller="+18885550103", **rung, **leg)
    yield HangUp(pk=-1, call_id=-3, why="taken_off")
    said = {"group_id": GROUP, "user_id": NILS, "display_name": "Nils", "language": "en-US", "text": "Hello, Alice"}
    yield Caption(pk=-1, **said)
    yield PartialCaption(**said, transcription="GTneighbours", sequence_id=1)


MODELS = list(dict.fromkeys(type(row) for row in rows()))
AS_JSON = {"postgresql": "json_build_array", "sqlite": "json_array"}


class Neighbours:
    """They live in the database from test to test, for each test's writes are taken back: to move in costs fifty
    statements."""

    planned_on: Any = None

    def are_here(self) -> bool:
        return User.objects.filter(pk=NORA).exists()

    def move_in(self) -> None:
        with transaction.atomic():
            for row in rows():
                type(row)._base_manager.bulk_create([row])
        self.all_of_theirs = self.rows_now()

    def move_out(self) -> None:
        empty()

    def rows_now(self) -> set[tuple[str, str]]:
        """Each with its table, as JSON. PostgreSQL takes twenty times as long to plan the question as to answer it."""
        asked = question()
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                if self.planned_on is not connection.connection:
                    cursor.execute(f"PREPARE neighbours AS {asked}")
                    self.planned_on = connection.connection
                asked = "EXECUTE neighbours"
            cursor.execute(asked)
            return {*cursor.fetchall()}


@pytest.fixture(scope="session")
def _neighbours() -> Neighbours:
    return Neighbours()


@pytest.fixture
def _neighbours_are_where_they_should_be(
    request: pytest.FixtureRequest, _neighbours: Neighbours, django_db_setup: None, django_db_blocker: Any
) -> None:
    """Before the test's transaction begins."""
    with django_db_blocker.unblock():
        are_here, are_wanted = _neighbours.are_here(), has_neighbours(request)
        if are_wanted and not are_here:
            _neighbours.move_in()
        elif are_here and not are_wanted:
            _neighbours.move_out()


@pytest.fixture
def _django_db_helper(_neighbours_are_where_they_should_be: None, _django_db_helper: None) -> None:
    """pytest-django's, by which a test gets the kind of database that it asks for."""


@pytest.fixture(autouse=True)
def _neighbours_are_left_alone(request: pytest.FixtureRequest) -> Iterator[None]:
    if not has_neighbours(request) or not has_a_database(request):
        yield
        return
    request.getfixturevalue("_django_db_helper")
    neighbours = request.getfixturevalue("_neighbours")
    yield
    assert sorted(neighbours.rows_now() ^ neighbours.all_of_theirs) == []


def has_neighbours(request: pytest.FixtureRequest) -> bool:
    folder = request.path.relative_to(TESTS).parts[0]
    return folder in FOLDERS and not request.node.get_closest_marker("alone")


def has_a_database(request: pytest.FixtureRequest) -> bool:
    asked = {"db", "transactional_db"} & {*request.fixturenames}
    return bool(asked or request.node.get_closest_marker("django_db"))


@cache
def question() -> str:
    return " UNION ALL ".join(map(their_rows, MODELS))


def their_rows(model: Any) -> str:
    quote, key = connection.ops.quote_name, model._meta.pk
    columns = ", ".join(quote(field.column) for field in model._meta.local_concrete_fields)
    name = quote(key.column)
    where = f"{name} < 0" if is_number(key) else f"CAST({name} AS text) LIKE '{like(key)}'"
    table, as_json = model._meta.db_table, AS_JSON[connection.vendor]
    return f"SELECT '{table}', CAST({as_json}({columns}) AS text) FROM {quote(table)} WHERE {where}"  # noqa: S608  # our own names


def ours(model: Any) -> Any:
    """What the test has made: all rows but theirs."""
    key = model._meta.pk
    if is_number(key):
        return model.objects.filter(pk__gt=-1)
    if isinstance(key, models.UUIDField):
        return model.objects.exclude(pk__in=[UUID(int=number) for number in range(4)])
    return model.objects.exclude(pk__contains="neighbours")


def is_number(key: Any) -> bool:
    return isinstance(getattr(key, "target_field", key), models.IntegerField | models.AutoField)


def like(key: Any) -> str:
    return "00000000%" if isinstance(key, models.UUIDField) else "%neighbours%"
