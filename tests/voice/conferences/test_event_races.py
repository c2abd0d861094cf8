"""Callbacks that come at the same moment."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from groups.models import Group
from tests.neighbours import ours
from users.models import User
from voice.conferences.events import adopt_leg, end_call, receive_conference_event
from voice.models import Call


def receive(number, event, call, conference="CF1", group=None):
    params = {"ConferenceSid": conference, "SequenceNumber": str(number), "StatusCallbackEvent": event}
    receive_conference_event({**params, "FriendlyName": str(group.pk), "CallSid": call}, now=timezone.now())


def somebody_waits_for_a_lock():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # else a transaction sees what it saw first
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = %s", [name()]
        )
        return cursor.fetchone()[0]


def name():
    return connection.settings_dict["NAME"]


def at_once(first: Callable[[], None], second: Callable[[], None], then: Callable[[], None] = lambda: None) -> None:
    """The second begins while the first is not yet committed; `then` runs once the second waits, or is done."""

    def work() -> None:
        try:
            second()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            first()
            waiting = pool.submit(work)
            end = time.monotonic() + 10
            while not waiting.done() and not somebody_waits_for_a_lock() and time.monotonic() < end:
                time.sleep(0.01)
            then()
        waiting.result()


def test_a_leg_that_ends_while_its_first_event_comes_leaves_no_ghost(leg, shown, alice, group):
    leg(alice, "CA1")
    as_it_was = Call.objects.get(sid="CA1")
    receive(1, "participant-join", "CA1", group=group)
    end_call(as_it_was, status="completed", duration=61, now=timezone.now())
    assert shown() == ([], False)
    assert not ours(Call).get().is_on


def test_a_leg_whose_first_event_comes_while_it_is_let_in_is_the_callers(shown, alice, group):
    as_it_was = Call.objects.create(sid="CA1")
    receive(1, "participant-join", "CA1", group=group)
    adopt_leg(as_it_was, {"user_id": alice.pk, "group_id": group.pk}, now=timezone.now())
    assert shown() == (["Alice"], True)


@pytest.mark.django_db(transaction=True)
def test_who_hangs_up_two_phones_in_two_groups_at_once_is_on_no_call(on_postgresql, leg, twilio, alice, group):
    work = Group.objects.create(name="Work")
    leg(alice, "CA1")
    twilio("/api/voice/makeCall", to=work.pk, From=f"client:u_{alice.pk}", CallSid="CA2")
    receive(1, "participant-join", "CA1", "CF1", group)
    receive(1, "participant-join", "CA2", "CF2", work)
    at_once(
        lambda: receive(2, "participant-leave", "CA1", "CF1", group),
        lambda: receive(2, "participant-leave", "CA2", "CF2", work),
    )
    assert not User.objects.get(pk=alice.pk).call_status
    assert not ours(Call).filter(is_on=True).exists()
