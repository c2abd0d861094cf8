"""The project's own OpenAPI document against the server, by Schemathesis, as two roles, with `FUZZ` as four.

Of its checks two are left to others: the access matrix knows every case of `object_level_authorization`, and
`test_webhooks.py` those of `missing_required_header`, which only webhooks have.
"""

import json

import hypothesis
import pytest
import schemathesis
from django.db import transaction
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase
from schemathesis.specs.openapi.checks import (
    ensure_resource_availability,
    negative_data_rejection,
    positive_data_acceptance,
    use_after_free,
)

from billing.api.serializers import NOTHING_BETWEEN
from core.phone_numbers import NO_SUCH_NUMBER
from core.preconditions import CHANGED, UNREADABLE
from core.wire import LARGEST_ID
from groups.invitations.serializers import ONE_OF_THEM
from groups.notifications.serializers import NO_NAME, TOO_LONG
from groups.notifications.subscriptions import NO_SUBSCRIPTION
from tests.hostile.conftest import EXAMPLES, SEED
from users.api.phone_serializers import COSTS_EXTRA, NO_COUNTRY
from users.verification.interface import CodeExpired, CodeWrong
from voice.api.dial_in_views import NOBODY_IN_GROUP
from voice.captions.messages import NoCall
from voice.ringing.starting import NotAMember

ROLES = ("owner", "member", "stranger", "staff")
SHORT = ("owner", "stranger")
"""Who asks for each operation in the suite: what the other two may do besides is the access matrix's."""
LEFT_OUT = ("object_level_authorization", "missing_required_header")
WITH_EXCEPTIONS = (negative_data_rejection, positive_data_acceptance, ensure_resource_availability, use_after_free)
IDS = ("user_id", "group_id", "userId", "groupId", "FriendlyName")
BUDGET = hypothesis.settings(
    max_examples=EXAMPLES or 1,
    stateful_step_count=20 if EXAMPLES else 6,
    phases=[Phase.explicit, Phase.generate],
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
SIGNED = (
    "/api/billing/stripeWebhook",
    *(f"/api/voice/{name}" for name in ("makeCall", "dialIn", "dialIn/pin", "ringAnswer", "keypad", "announcement")),
    *(f"/api/voice/{name}" for name in ("callEvents", "captionEvents", "conferenceEvents")),
)
BEYOND_SCHEMA = {
    "Write at least one visible character.",
    "Use a balance of at most a billion dollars.",
    "Use an amount in dollars with at most two decimals, such as 20 or 20.50.",
    "Enter a valid email address.",
    CHANGED,  # an ETag that is made up is nobody's
    UNREADABLE,
    NO_SUCH_NUMBER,
    NO_COUNTRY,
    COSTS_EXTRA,
    str(CodeExpired.default_detail),
    str(CodeWrong.default_detail),
    NO_NAME,
    str(NoCall.default_detail),
    NO_SUBSCRIPTION,
    TOO_LONG,
    NOTHING_BETWEEN,
    ONE_OF_THEM,
    NOBODY_IN_GROUP,
    NotAMember.default_detail,
}
"""Refusals of what the document allows: JSON Schema has no words for these rules."""


@pytest.fixture
def described(role, world, known, sign_in, application):
    """The document as it is served, with the application behind it."""
    config = {
        "seed": SEED,
        "auth": {"openapi": {"bearer": {"bearer": sign_in(world[role])}}},
        "generation": {"max-examples": EXAMPLES or 1, "allow-x00": False, "with-security-parameters": False},
        "phases": {"coverage": {"enabled": EXAMPLES > 0}},
        "checks": {name: {"enabled": False} for name in (*LEFT_OUT, *(check.__name__ for check in WITH_EXCEPTIONS))},
    }
    document = json.loads(json.dumps(SchemaGenerator().get_schema(request=None, public=True), default=str))
    stream = document["paths"]["/api/live"]["get"]["responses"]["200"]["content"]["text/event-stream"]
    del stream["schema"]  # a text, which is said: Schemathesis reads it into events
    schema = schemathesis.openapi.from_dict(document, config=schemathesis.Config.from_dict(config))
    schema.app = application
    there = {**known, **dict.fromkeys(("userId", "user_id"), world[role].pk)}
    for generated in ("map_body", "map_path_parameters"):
        schema.hook(generated)(lambda _context, value: with_known(value, there))
    return schema


def with_known(generated, there):
    """Of four ids that are made up, three become those of something that exists."""
    if not isinstance(generated, dict):
        return generated
    return {name: there[name] if name in IDS and is_id(value) else value for name, value in generated.items()}


def is_id(value):
    return type(value) is int and 0 <= value <= LARGEST_ID and value % 4 > 0


def as_described(context, response, case):
    """The checks that hold with exceptions."""
    body, path = case.media_type, case.operation.path
    is_looked_at = path != "/api/voice/accessToken" and response.status_code != 412  # nor is what changes nothing
    if body is None and is_looked_at:  # who is signed in is not asked for an identity
        negative_data_rejection(context, response, case)  # in bodies a number is text, 0 is false, and more is ignored
    is_plain = body in (None, "application/json") and path not in SIGNED  # a form has no null
    if is_plain and (response.status_code < 400 or not refusals(response) <= BEYOND_SCHEMA):
        positive_data_acceptance(context, response, case)
    if body is None:
        ensure_resource_availability(context, response, case)  # in a body, it is a person who is not found
    if not path.endswith("/callParticipants"):
        use_after_free(context, response, case)  # who deletes that list empties it


def refusals(response):
    problem = response.json()
    return {each["message"] for each in problem["errors"]} or {problem["detail"]}


@pytest.mark.parametrize("role", ROLES if EXAMPLES else SHORT)
@schemathesis.pytest.from_fixture("described").parametrize()
@BUDGET
def test_each_operation_is_as_described(case):
    with transaction.atomic():
        try:
            case.call_and_validate(additional_checks=[as_described])
        finally:
            transaction.set_rollback(True)


@pytest.mark.parametrize("role", ROLES)
def test_operations_one_after_the_other_are_as_described(described):
    class Workflow(described.as_state_machine()):
        """Each begins in the same world."""

        def setup(self):
            self.undone = transaction.atomic()
            self.undone.__enter__()

        def teardown(self):
            transaction.set_rollback(True)
            self.undone.__exit__(None, None, None)

        def validate_response(self, response, case, additional_checks=None, **kwargs):
            super().validate_response(response, case, [as_described], **kwargs)

    hypothesis.seed(SEED)(Workflow).run(settings=BUDGET)
