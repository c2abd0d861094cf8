"""A job is done once, in its caller's transaction or not at all; what fails is tried again, and given up at last."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_tasks import TaskResultStatus
from django_tasks.exceptions import TaskResultDoesNotExist

from core.jobs import queue
from core.jobs.models import MOST_WORDS, Job
from core.jobs.queue import beat, begin, enqueue_each, fail, finish, give_back, mend_clocks, try_again
from core.jobs.worker import do_all
from core.metrics.counted import counted
from core.metrics.families import JOBS_DONE
from tests.jobs import tasks
from tests.jobs.tasks import (
    answer_no_json,
    ask_how_long,
    enqueue_itself,
    find_vendor_silent,
    hang,
    linger,
    no_task,
    note,
)
from tests.jobs.tasks import fail as failing

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def states():
    return list(Job.objects.order_by("pk").values_list("state", flat=True))


def test_a_job_is_done_once(marks, run_due):
    result = note.enqueue("one")
    assert (result.status, marks()) == (TaskResultStatus.READY, [])
    assert (run_due(), run_due()) == ([True], [])
    result.refresh()
    assert (marks(), result.status, result.return_value) == (["one"], TaskResultStatus.SUCCESSFUL, "one")


def test_to_store_a_job_is_one_statement_and_so_are_many():
    with CaptureQueriesContext(connection) as asked:
        note.enqueue("one")
    assert len(asked) == 1
    with transaction.atomic(), CaptureQueriesContext(connection) as asked:
        enqueue_each(note, [(f"word {n}",) for n in range(50)])
    assert len(asked) == 1
    assert Job.objects.count() == 51


def test_what_is_rolled_back_was_never_to_be_done(marks, run_due):
    with transaction.atomic():
        note.enqueue("one")
        transaction.set_rollback(True)
    assert (run_due(), marks()) == ([], [])


def test_of_jobs_that_are_the_same_one_is_done(marks, run_due):
    first, *_ = [note.enqueue(word).id for word in ("one", "two", "one", "one")]
    assert run_due() == [True, True]
    assert sorted(marks()) == ["one", "two"]
    assert states() == ["done"] * 4
    assert Job.objects.order_by("pk")[2].fault == f"It is the same as job {first}, and done with it."


def test_what_is_for_later_is_not_done_with_what_is_due(marks, run_due, later):
    note.using(run_after=timezone.now() + HOUR).enqueue("one")
    note.enqueue("one")
    assert (run_due(), states()) == ([True], ["waiting", "done"])
    later()
    assert (run_due(), marks()) == ([True], ["one", "one"])


def test_while_one_is_at_work_the_same_waits_and_is_done_after_it():
    note.enqueue("one")
    job = begin("here")
    note.enqueue("one")
    assert begin("there") is None
    assert finish(job, None)
    assert begin("there").cause == job.cause


def test_what_has_been_due_for_longest_is_begun_first():
    for hours in (1, 3, 2):
        note.using(run_after=timezone.now() - hours * HOUR).enqueue(f"{hours} hours ago")
    assert [begin("here").arguments for _ in range(3)] == [f'[["{hours} hours ago"], {{}}]' for hours in (3, 2, 1)]


def test_what_was_done_before_keeps_what_stands_of_it_when_the_same_is_done_anew(run_due):
    note.enqueue("one")
    run_due()
    before = Job.objects.values().get()
    note.enqueue("one")
    run_due()
    assert Job.objects.values().get(pk=before["id"]) == before


def test_what_is_stored_by_its_own_run_is_done_after_it(marks, run_due):
    enqueue_itself.enqueue("one")
    assert (run_due(), marks()) == ([True, True], ["one", "one"])


def test_what_is_done_may_be_asked_for_anew(marks, run_due):
    note.enqueue("one")
    run_due()
    note.enqueue("one")
    assert (run_due(), marks()) == ([True], ["one", "one"])


def test_what_fails_is_tried_again_after_a_while_and_given_up_at_last(marks, run_due, later):
    failing.enqueue("one")
    assert run_due() == [False]
    job = Job.objects.get()
    assert timedelta(seconds=3) < job.due_at - timezone.now() < timedelta(seconds=7)
    assert (run_due(), job.state, job.worker) == ([], "waiting", "")
    later()
    assert run_due() == [False]
    job.refresh_from_db()
    assert (job.state, job.tries, marks()) == ("dead", 2, ["one", "one"])
    assert job.fault == "It failed by KeyError: the log says where."


def test_the_words_of_a_fault_are_our_own(run_due):
    find_vendor_silent.enqueue("one")
    run_due()
    assert "cus_secret" not in Job.objects.get().fault
    assert Job.objects.get().fault.endswith("(PaymentsUnavailable)")


def test_the_waits_grow_up_to_an_hour_and_no_two_are_equal():
    waits = [note.bounds.wait(tries).total_seconds() for tries in (1, 2, 3, 4, 5, 6, 7, 12, 500)]
    for wait, expected in zip(waits, (5, 15, 45, 135, 405, 1215, 3600, 3600, 3600), strict=True):
        assert 0.75 * expected <= wait <= 1.25 * expected
    assert len({note.bounds.wait(1) for _ in range(10)}) > 1


def test_one_that_was_given_up_is_tried_anew_as_often_as_at_first(marks, run_due, later):
    failing.enqueue("one")
    for _ in range(2):
        run_due()
        later()
    assert (try_again(Job.objects.all()), states()) == (1, ["waiting"])
    run_due()
    assert (states(), Job.objects.get().tries, len(marks())) == (["waiting"], 1, 3)


def test_what_is_done_at_the_second_try_says_nothing_of_the_first(run_due):
    note.enqueue("one")
    job = begin("here")
    fail(job, "It failed.")
    Job.objects.update(due_at=timezone.now())
    assert run_due() == [True]
    assert Job.objects.values_list("state", "fault", "tries").get() == ("done", "", 2)


def test_a_task_that_says_nothing_has_no_result(run_due):
    ask_how_long.enqueue("one")
    run_due()
    assert Job.objects.get().result == ""


def test_of_a_long_fault_so_much_is_kept():
    note.enqueue("one")
    assert fail(begin("here"), "It failed. " * 200)
    assert len(Job.objects.get().fault) == MOST_WORDS


def test_those_alone_that_were_given_up_are_tried_anew(run_due):
    note.enqueue("done")
    run_due()
    note.enqueue("waits")
    note.enqueue("given up")
    Job.objects.filter(cause__endswith="given up").update(state="dead")
    note.enqueue("at work")
    Job.objects.filter(cause__endswith="at work").update(state="running")
    assert try_again(Job.objects.all()) == 1
    assert states() == ["done", "waiting", "waiting", "running"]


@pytest.mark.parametrize("error", [SystemExit(1), RuntimeError()], ids=repr)
def test_a_task_that_would_end_its_process_has_failed_and_ends_none(run_due, monkeypatch, error):
    def end(word):
        raise error

    monkeypatch.setattr(tasks, "mark", end)
    note.enqueue("one")
    assert (run_due(), states()) == ([False], ["waiting"])


def test_it_is_counted_how_jobs_end(run_due, monkeypatch):
    monkeypatch.setattr(counted, "is_on", True)
    monkeypatch.setattr(counted, "counts", {})
    for number, task in enumerate((note, failing, note)):
        task.enqueue(f"{number}")
    run_due()
    assert counted.counts == {
        (JOBS_DONE, note.module_path, "done"): 2,
        (JOBS_DONE, failing.module_path, "failed"): 1,
    }


def test_so_many_are_done_and_no_more():
    for word in ("one", "two", "three"):
        note.enqueue(word)
    assert [len(do_all(most=2)) for _ in range(2)] == [2, 1]


def test_of_arguments_by_name_the_order_says_nothing(run_due):
    linger.enqueue(word="one", seconds=0)
    linger.enqueue(seconds=0, word="one")
    assert (run_due(), states()) == ([True], ["done", "done"])


def test_what_waits_is_at_no_worker(run_due):
    waiting = note.enqueue("one")
    assert waiting.worker_ids == []


def test_a_task_that_is_unknown_waits_for_a_worker_that_knows_it(marks, run_due, later):
    note.enqueue("one")
    Job.objects.update(task="tests.jobs.tasks.of_tomorrow")
    assert run_due() == [False]
    job = Job.objects.get()
    assert (job.state, job.fault.partition(":")[0]) == ("waiting", "This release knows no such task")
    Job.objects.update(task="tests.jobs.tasks.note")
    later()
    assert (run_due(), marks()) == ([True], ["one"])


@pytest.mark.parametrize("path", ["tests.jobs.tasks.no_task", "os.system", "nowhere.at_all", "word", ""])
def test_what_is_no_task_is_never_called(marks, run_due, path):
    assert callable(no_task)
    note.enqueue("one")
    Job.objects.update(task=path)
    assert (run_due(), marks()) == ([False], [])


@pytest.mark.parametrize("arguments", ["", "{", '"one"', "[1, 2, 3]", "[[1, 2], {}]", '[[], {"name": 1}]', "[[], []"])
def test_arguments_that_cannot_be_read_fail_alone(marks, run_due, arguments):
    note.enqueue("one")
    Job.objects.update(arguments=arguments)
    note.enqueue("two")
    assert (run_due(), marks()) == ([False, True], ["two"])
    assert Job.objects.order_by("pk")[0].fault == "Its arguments are no JSON that the task could be called with."


@pytest.mark.parametrize("argument", [object(), {1, 2}, float("nan"), timezone.now()])
def test_what_is_no_json_is_refused_where_it_is_stored(argument):
    with pytest.raises((TypeError, ValueError)):
        note.enqueue(argument)
    assert not Job.objects.exists()


def test_a_result_that_is_no_json_is_a_fault(run_due):
    answer_no_json.enqueue("one")
    assert (run_due(), Job.objects.get().fault) == ([False], "It failed by TypeError: the log says where.")


def test_a_long_cause_is_shortened_and_still_tells_jobs_apart(run_due, marks):
    for word in ("x" * 300 + "1", "x" * 300 + "2", "a:b", "a"):
        note.enqueue(word)
    assert (run_due(), len(set(marks()))) == ([True] * 4, 4)


def test_arguments_that_only_look_the_same_in_a_row_are_two_jobs():
    linger.enqueue("a:1", "2")
    linger.enqueue("a", "1:2")
    assert begin("here").arguments != begin("there").arguments


def test_vendor_calls_share_the_time_of_their_task(run_due, marks):
    ask_how_long.enqueue("one")
    assert (run_due(), marks()) == ([True], ["5"])


class TestKilled:
    """The worker is gone."""

    @pytest.fixture
    def job(self):
        note.enqueue("one")
        return begin("killed")

    def test_its_job_is_nobodys_until_its_lease_is_over(self, job, run_due, later, marks):
        assert run_due() == []
        later()
        assert (run_due(), marks(), states()) == ([True], ["one"], ["done"])

    def test_taken_for_dead_it_changes_nothing_any_more(self, job, later):
        later()
        again = begin("another")
        assert (finish(job, None), fail(job, "late"), give_back(job)) == (False, False, False)
        assert (finish(again, None), states()) == (True, ["done"])

    def test_nor_where_it_has_begun_the_same_job_anew_by_itself(self, job, later):
        later()
        begin("killed")
        assert not finish(job, None)

    def test_given_back_to_another_it_is_not_its_own_any_more(self, job):
        give_back(job)
        again = begin("another")
        assert (again.tries, finish(job, None), fail(job, "late")) == (job.tries, False, False)
        assert (states(), finish(again, None)) == (["running"], True)

    def test_it_does_not_begin_beside_itself_what_it_is_still_at(self, job, later):
        later()
        assert begin("killed", at_work=[job]) is None
        assert begin("another", at_work=[]).pk == job.pk

    def test_it_renews_the_leases_of_what_is_its_own_and_of_nothing_else(self, job, later):
        later()
        another = begin("another")
        note.enqueue("waits")
        before = dict(Job.objects.values_list("pk", "due_at"))
        beat("killed", 4, [*Job.objects.all()])
        assert dict(Job.objects.values_list("pk", "due_at")) == before
        beat("another", 4, [another])
        assert Job.objects.get(pk=another.pk).due_at > before.pop(another.pk)
        assert dict(Job.objects.exclude(pk=another.pk).values_list("pk", "due_at")) == before

    def test_of_what_it_has_begun_it_renews_what_it_is_still_at(self, job):
        note.enqueue("two")
        other = begin(job.worker)
        Job.objects.update(due_at=timezone.now())
        beat(job.worker, 1, [other])
        due = dict(Job.objects.values_list("pk", "due_at"))
        assert due[job.pk] < timezone.now() < due[other.pk]

    def test_what_kills_each_worker_is_given_up(self, job, later):
        for _ in range(note.tries):
            later()
            begin("another")
        assert (states(), Job.objects.get().fault) == (["dead"], "Its worker was killed, or cut off from the database.")

    def test_what_it_gives_back_is_due_at_once_and_was_no_try(self, job, run_due):
        assert give_back(job)
        assert Job.objects.get().tries == 0
        assert run_due() == [True]


class TestClocks:
    """Somebody sets the clock."""

    @pytest.fixture
    def clock(self, monkeypatch):
        real = timezone.now

        def set_clock(by):
            monkeypatch.setattr(timezone, "now", lambda: real() + by)

        return set_clock

    def test_set_back_by_an_hour_it_keeps_nobody_waiting(self, clock, run_due):
        clock(HOUR)
        note.enqueue("one")
        clock(timedelta())
        assert run_due() == []
        mend_clocks()
        assert run_due() == [True]

    def test_what_is_meant_for_later_stays_so(self, run_due):
        note.using(run_after=timezone.now() + HOUR).enqueue("one")
        mend_clocks()
        assert run_due() == []

    def test_what_a_dead_worker_had_begun_then_is_leased_from_now_on(self, clock, run_due):
        clock(HOUR)
        note.enqueue("one")
        begin("killed")
        clock(timedelta())
        mend_clocks()
        clock(queue.LEASE)
        assert run_due() == [True]

    def test_set_forward_what_is_at_work_is_another_workers_and_ends_once(self, clock):
        note.enqueue("one")
        first = begin("here")
        clock(HOUR)
        second = begin("there")
        assert (finish(second, None), finish(first, None)) == (True, False)


def test_what_was_taken_away_for_taking_too_long_stays_given_up_though_it_ends_after_all():
    hang.enqueue("one")
    job = begin("here")
    assert fail(job, "It took longer than 1 s.")
    assert (finish(job, None), fail(job, "late"), give_back(job)) == (False, False, False)
    assert (states(), Job.objects.get().fault) == (["dead"], "It took longer than 1 s.")


def test_a_job_that_is_forgotten_has_no_result():
    for unknown in ("404", "word"):
        with pytest.raises(TaskResultDoesNotExist):
            note.get_result(unknown)


def test_a_task_says_how_long_it_takes():
    assert (hang.seconds, hang.tries, note.seconds, note.tries) == (1, 1, 30.0, 12)
