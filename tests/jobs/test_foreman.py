"""What a worker's own thread does at each turn, without the threads that do the jobs."""

import time
from datetime import timedelta
from threading import Timer
from types import SimpleNamespace

import pytest
from django.db import OperationalError
from django.utils import timezone

from core.jobs import worker as jobs
from core.jobs.models import Job, WorkerSeen
from core.jobs.queue import begin
from core.jobs.worker import BEAT, GRACE, Hand, Worker, settled
from tests.jobs.tasks import hang, note

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def worker(monkeypatch):
    """With one hand, behind which there is no thread. It leaves the connection alone, on which the test's rows are."""
    monkeypatch.setattr(jobs, "close_old_connections", lambda: None)
    made = Worker(threads=1)
    made.hands = [Hand()]
    yield made
    for hand in made.hands:
        hand.todo.put(None)  # ends the threads that it has hired


@pytest.fixture
def at_work(worker):
    """Its hand does a job that may take a second, for so many seconds."""

    def at_work(seconds):
        hang.enqueue("one")
        [hand] = worker.hands
        worker.hand_over(hand, begin(worker.name))
        hand.todo.get()
        hand.begun = time.monotonic() - seconds
        return hand

    return at_work


def test_what_is_due_is_handed_to_who_is_free_and_no_more(worker):
    for word in ("one", "two"):
        note.enqueue(word)
    worker.tick()
    [hand] = worker.hands
    assert hand.todo.get_nowait() == hand.job
    assert list(Job.objects.order_by("pk").values_list("state", flat=True)) == ["running", "waiting"]


def test_the_schedule_is_looked_at(worker):
    looks = []
    worker.on_tick = lambda: looks.append(1)
    worker.tick()
    assert looks == [1]


def test_once_it_is_told_to_stop_it_begins_nothing(worker):
    note.enqueue("one")
    worker.stop()
    worker.tick()
    assert Job.objects.get().state == "waiting"


def test_it_does_not_begin_what_its_hand_is_still_at(worker, at_work):
    at_work(0)
    worker.hands.append(Hand())
    Job.objects.update(due_at=timezone.now() - MINUTE)  # its lease is over
    worker.beaten_at = time.monotonic()
    worker.tick()
    assert Job.objects.values_list("state", "tries").get() == ("running", 1)


def test_it_says_that_it_lives_now_and_then(worker):
    def seen():
        return WorkerSeen.objects.get(pk=worker.name).seen_at

    worker.say_alive()
    first = seen()
    worker.say_alive()
    assert seen() == first
    worker.beaten_at -= BEAT
    worker.say_alive()
    assert seen() > first


def test_it_mends_what_was_written_by_a_clock_that_has_been_set_back(worker):
    note.enqueue("one")
    later = timezone.now() + 60 * MINUTE
    Job.objects.update(due_at=later, written_at=later)
    worker.say_alive()
    assert Job.objects.get().due_at < later - 59 * MINUTE


@pytest.mark.parametrize(("seconds", "is_taken"), [(1 + GRACE / 2, False), (1 + GRACE + 0.1, True)])
def test_a_job_has_its_seconds_and_a_little_beyond(worker, at_work, seconds, is_taken):
    hand = at_work(seconds)
    worker.take_from_overdue()
    assert (hand in worker.given_up) == is_taken
    assert (Job.objects.get().state == "dead") == is_taken


def test_who_takes_too_long_is_replaced_and_ends_when_it_is_free(worker, at_work):
    hand = at_work(60)
    worker.tick()
    assert Job.objects.get().fault == "It took longer than 1 s."
    assert (worker.given_up, hand in worker.hands, len(worker.hands)) == ([hand], False, 1)
    assert hand.todo.get_nowait() is None


def test_of_those_that_it_has_given_up_it_counts_who_still_is_at_it(worker, at_work):
    worker.given_up = [Hand()]
    hand = at_work(60)
    worker.take_from_overdue()
    assert worker.given_up == [hand]


@pytest.mark.parametrize(("given_up", "is_worn_out"), [(1, True), (0, False)])
def test_the_process_begins_anew_where_all_of_its_hands_hang(worker, given_up, is_worn_out):
    worker.given_up = [Hand() for _ in range(given_up)]
    stop = Timer(60 if is_worn_out else 0.3, worker.stop)
    stop.start()
    try:
        assert worker.run(grace=0) == is_worn_out
    finally:
        stop.cancel()


def test_what_it_is_at_when_it_ends_is_given_back_and_others_live_on(worker, at_work):
    WorkerSeen.objects.create(name="another", threads=1)
    worker.say_alive()
    at_work(0)
    worker.leave()
    assert (Job.objects.get().state, Job.objects.get().tries) == ("waiting", 0)
    assert [each.name for each in WorkerSeen.objects.all()] == ["another"]


@pytest.mark.parametrize("grace", [0.0, 60.0])
def test_what_it_is_at_has_so_many_seconds_more(worker, at_work, grace):
    hand = at_work(0)

    def finish():
        hand.job = None

    finishing = Timer(0.3 if grace else 60, finish)
    finishing.start()
    worker.wind_up(time.monotonic() + grace)
    finishing.cancel()
    assert Job.objects.get().state == ("running" if grace else "waiting")  # it was given back, or is being written down


@pytest.fixture
def no_database(monkeypatch):
    monkeypatch.setattr(jobs, "connection", SimpleNamespace(close=lambda: None, in_atomic_block=False))
    monkeypatch.setattr(jobs, "sleep", lambda _: None)

    def fail():
        raise OperationalError

    return fail


def test_that_the_database_is_away_and_there_again_is_said_once_each(worker, no_database, log):
    worker.stopping.wait = lambda _: None
    for tick in (no_database, no_database, lambda: None, lambda: None):
        worker.turn(tick)
    assert [line["message"] for line in log.named("core.jobs.worker")] == [
        "The worker has no database, and waits for it",
        "The worker has its database again",
    ]


def in_turn(*answers):
    left = iter(answers)

    def write():
        return next(left)()

    return write


def test_what_became_of_a_job_is_written_down_when_the_database_answers(no_database):
    assert settled(in_turn(no_database, no_database, lambda: True))


def test_it_is_not_tried_for_ever(no_database, monkeypatch):
    monkeypatch.setattr(jobs, "SETTLED_WITHIN", 0.0)
    with pytest.raises(OperationalError):
        settled(in_turn(no_database))


def test_within_a_transaction_it_is_tried_once(no_database, monkeypatch):
    monkeypatch.setattr(jobs, "connection", SimpleNamespace(close=lambda: None, in_atomic_block=True))
    with pytest.raises(OperationalError):
        settled(in_turn(no_database))
