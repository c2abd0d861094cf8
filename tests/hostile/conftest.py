"""What hostile input is sent to: every operation that the OpenAPI document has, in a world with ids that exist."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from groups.invitations.services import make_link
from tests.access.conftest import give_secrets
from tests.conftest import person
from tests.hostile.server import Attack, Metered, open_connection
from users.models import Export
from users.sign_in.binding import person_signed_in_as
from users.sign_in.local_issuer import local_token
from users.sign_in.tokens import verify

MOST_CPU = 2.0
"""Seconds of the processor's time for one answer. The clock on the wall would also measure whatever runs beside."""
EXAMPLES = int(os.environ.get("FUZZ", "0"))
"""How many of each operation, for each role, `make fuzz` asks for; 0 in `make test`."""
SEED = int(os.environ.get("FUZZ_SEED", "1"))
SHOWN = 10


@pytest.fixture
def world(group, alice, bob, carol, dave, settings, tmp_path) -> dict[str, Any]:
    """The group, and people by what they are to it."""
    settings.MEDIA_ROOT = tmp_path
    root = person("Root", is_staff=True)
    give_secrets([alice, bob, carol, dave, root])
    return {"group": group, "owner": alice, "member": bob, "stranger": dave, "staff": root}


@pytest.fixture
def known(world) -> dict[str, Any]:
    """Values that are right, by the name of their field or parameter."""
    alice, group = world["owner"], world["group"]
    link, token = make_link(group_id=group.pk, maker=alice, who="", now=timezone.now(), max_uses=1, days=1)
    return {
        **dict.fromkeys(("userId", "user_id"), alice.pk),
        **dict.fromkeys(("groupId", "group_id", "to", "FriendlyName"), group.pk),
        "link_id": link.pk,
        "export_id": Export.objects.create(user=alice).pk,
        "token": token,
        "From": f"client:u_{alice.pk}",
        "CallSid": "CA1",
        "email": alice.email,
        "identity": f"u_{alice.pk}",
        "userStripeId": alice.stripe_id,
        "sourceId": "tok_visa",
        "amountToAdd": 200,
        "Address": "a device",
        "language": "de-DE",
        "text": "Hello",
    }


@pytest.fixture
def sign_in(settings):
    """Turns sign-in on; somebody's token."""

    def sign_in(user) -> str:
        settings.OPEN_MODE, settings.SIGN_IN = False, True
        token = local_token(user.email)
        person_signed_in_as(verify(token))  # binds it now, once: what a request does is undone
        return token

    return sign_in


@pytest.fixture
def application(request) -> Iterator[Metered]:
    application = Metered()
    with open_connection():
        yield application
    request.node.user_properties.append(("hostile", [application.count, *application.slowest]))
    assert application.slowest < (MOST_CPU,)


@pytest.fixture
def attack(application) -> Attack:
    return Attack(application)


def pytest_terminal_summary(terminalreporter) -> None:
    """What `make fuzz` prints: how many requests there were, and which took the most of the processor's time."""
    reports = [report for each in terminalreporter.stats.values() for report in each if hasattr(report, "nodeid")]
    told = {report.nodeid: value for report in reports for name, value in report.user_properties if name == "hostile"}
    if not EXAMPLES:
        return
    terminalreporter.section(f"{sum(count for count, *_ in told.values())} requests, seed {SEED}; the slowest")
    slowest = sorted(((spent, doing, node) for node, (_, spent, doing) in told.items()), reverse=True)
    for spent, doing, node in slowest[:SHOWN]:
        terminalreporter.write_line(f"{1000 * spent:6.0f} ms CPU  {doing}  ({node.partition('::')[2]})")
