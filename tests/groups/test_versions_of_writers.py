"""Every writer of the house: what the API writes, webhooks and commands, and operators.

A version moves exactly where something that is shown of its row has changed; and whatever an answer shows otherwise
than before, its state tells it.
"""

import json

import pytest
from django.urls import resolve
from rest_framework.test import APIClient

from groups.models import EveryGroup, Group
from groups.triggers import AROUND, NOT_SHOWN
from groups.versions import Poll
from tests.access.shown import is_person, nodes
from tests.asked import asked
from tests.pairs.world import make_world
from tests.pairs.writers import REFUSED, WRITERS
from users.callers import Everybody
from users.models import User

LISTS = ("callParticipants", "activities", *(f"group{each}" for each in ("Owners", "Members", "Invitees")))
OF_GROUPS = ("", "/callStatus", *(f"/{each}" for each in LISTS), *(f"/{each}/detailed" for each in LISTS[2:]))
OF_THEIR_GROUPS = ("/detailed", "/groupsOwned", "/groupsBelongedTo", "/groupsInvitedTo")
OF_PEOPLE = ("", "/accountBalance", "/last4", *OF_THEIR_GROUPS)
THERE_AND_BACK = ("Stripe tells: dispute won", "Stripe tells: refund failed", "reconcile_calls")
"""These write a balance or a call status, and then what it was before."""


@pytest.fixture
def world(db, sandbox_payments, sandbox_telephony, sandbox_notify, settings):
    settings.MIN_CALL_BALANCE = 500_000
    return make_world()


def answers(world):
    paths = [f"/api/groups/{each.pk}{end}" for each in (world.group, world.work) for end in OF_GROUPS]
    paths += [f"/api/users/{each.pk}{end}" for each in world.people for end in OF_PEOPLE]
    client = APIClient()
    return {path: client.get(path).content for path in paths}


def poll(path, content):
    """For an answer, by what stands in it."""
    named, found = resolve(path).kwargs, [each for each in nodes(json.loads(content)) if isinstance(each, dict)]
    groups = {named.get("group_id"), *(each.get("groupId") for each in found)} - {None}
    people = {named.get("user_id"), *(each.get("userId") for each in found)} - {None}
    people |= {each["id"] for each in found if is_person(each)}
    parts_of = named.get("user_id") if path.endswith(OF_THEIR_GROUPS) else None
    return Poll(Everybody(), groups=sorted(groups), people=sorted(people), parts_of=parts_of)


def columns(model):
    return [each.attname for each in model._meta.local_concrete_fields if each.name not in NOT_SHOWN]


def rows():
    """What hangs on each group and person; their versions."""
    own = {
        (model.__name__, row["id"]): [row] for model in (Group, User) for row in model.objects.values(*columns(model))
    }
    for model in AROUND:
        for row in model.objects.order_by("id").values(*columns(model)):
            own["Group", row["group_id"]].append({model.__name__: row})
    versions = {
        (model.__name__, pk): at for model in (Group, User) for pk, at in model.objects.values_list("pk", "version")
    }
    return own, versions


def differ(before, after):
    return {key for key in before.keys() & after.keys() if before[key] != after[key]}


@pytest.mark.parametrize("name", WRITERS)
def test_a_writer_moves_what_it_changes(world, name, django_capture_on_commit_callbacks):
    kept, (own, versions) = answers(world), rows()
    polls = [poll(path, content) for path, content in kept.items()]
    states, every = [each.state for each in asked(*polls)], list(EveryGroup.objects.values())
    with django_capture_on_commit_callbacks(execute=True):
        try:
            WRITERS[name](world)
        except REFUSED:
            pytest.fail("a writer is refused in a world of its own")
    own_now, versions_now = rows()
    moved, changed = differ(versions, versions_now), differ(own, own_now)
    assert changed <= moved
    assert moved == changed or name in THERE_AND_BACK
    assert list(EveryGroup.objects.values()) == every
    now = answers(world)
    same = {path for path, before, after in zip(kept, states, asked(*polls), strict=True) if before == after.state}
    assert {path for path in same if now[path] != kept[path]} == set()
