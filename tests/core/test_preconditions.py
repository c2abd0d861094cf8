"""A write that depends on what its client has read is tried again where it met another one, and nothing else is."""

import pytest
from django.db import IntegrityError, OperationalError, connection
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory

from core.preconditions import conditional, in_one_state
from core.transactions import MOST_TRIES
from tests.core.test_transactions import DriversError

ANY = {"If-None-Match": '"of-something-else"'}


class Thing:
    """A thing that is read and written; how often it was, and in which state of the database."""

    action_map = {"get": "read", "put": "write"}  # as DRF's own

    def __init__(self, *failures):
        self.failures, self.reads, self.writes = list(failures), 0, []

    def read(self, request):
        self.reads += 1
        return Response({})

    @conditional
    def write(self, request):
        self.writes.append((connection.in_atomic_block, in_one_state.get()))
        if self.failures:
            raise self.failures.pop(0)
        return Response({"is": "written"})

    def put(self, **headers):
        request = Request(APIRequestFactory().put("/", headers=headers))
        request.accepted_renderer = JSONRenderer()
        return self.write(request).data


def broken_off(code):
    error = OperationalError()
    error.__cause__ = DriversError(code)
    return error


MET = [broken_off("40001"), broken_off("40P01"), IntegrityError()]


@pytest.fixture
def sees_one_state(transactional_db):
    """Where nobody else writes meanwhile anyhow, none is asked for."""
    return connection.vendor == "postgresql"


@pytest.mark.parametrize("failure", MET, ids=["serialization", "deadlock", "integrity"])
def test_what_has_met_another_write_is_compared_and_written_anew(sees_one_state, failure):
    thing = Thing(failure, failure)
    assert thing.put(**ANY) == {"is": "written"}
    assert (thing.reads, thing.writes) == (3, [(True, sees_one_state)] * 3)


@pytest.mark.parametrize("failure", MET, ids=["serialization", "deadlock", "integrity"])
def test_it_is_given_up_at_last(sees_one_state, failure):
    thing = Thing(*[failure] * MOST_TRIES)
    with pytest.raises(type(failure)):
        thing.put(**ANY)
    assert len(thing.writes) == MOST_TRIES


def test_what_fails_otherwise_is_not_tried_again(sees_one_state):
    thing = Thing(broken_off("57014"))
    with pytest.raises(OperationalError):
        thing.put(**ANY)
    assert len(thing.writes) == 1


def test_a_write_that_names_no_state_is_neither_compared_nor_tried_again(sees_one_state):
    thing = Thing(broken_off("40001"))
    with pytest.raises(OperationalError):
        thing.put()
    assert (thing.reads, thing.writes) == (0, [(False, False)])


def test_whoever_comes_next_sees_what_others_commit_meanwhile(sees_one_state):
    Thing().put(**ANY)
    next_one = Thing()
    next_one.put()
    assert next_one.writes == [(False, False)]


@pytest.mark.django_db
def test_inside_another_transaction_it_sees_what_that_sees():
    thing = Thing()
    assert thing.put(**ANY) == {"is": "written"}
    assert thing.writes == [(True, False)]
