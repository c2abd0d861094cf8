"""Workers are processes: killed at any point they lose nothing, told to end they give back what they have.

What a job has done is a line of a file. One that was begun twice has two, as a vendor with a key would be asked twice.
"""

import os
import signal
import time
from collections import Counter
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from shutil import rmtree

import pytest
from django.conf import settings

from bench.database import manage, postgresql_beside
from bench.server import free_port
from core.metrics.families import JOBS_DONE
from core.metrics.files import Files, folder_of
from tests.jobs.aside import start, wait_until


@pytest.fixture(scope="module")
def migrated(tmp_path_factory):
    """The address of a database."""
    given, worker = os.environ.get("DATABASE_URL", ""), os.environ.get("PYTEST_XDIST_WORKER", "")
    file = tmp_path_factory.mktemp("jobs") / "db.sqlite3"
    beside = postgresql_beside(given, f"_jobs{worker}") if given.startswith("postgres") else nullcontext()
    with beside as postgresql:
        url = postgresql or f"sqlite:///{file}"
        manage({**os.environ, "DATABASE_URL": url}, "migrate", "--noinput", "--verbosity", "0")
        yield url


def soon_after_now():
    """Later than a test lasts, and not so late that a clock must have been set back."""
    return f"{datetime.now(UTC) + timedelta(seconds=50):%Y-%m-%d %H:%M:%S}+00:00"


@pytest.fixture
def aside(migrated, tmp_path):
    marks = tmp_path / "aside"
    marks.touch()
    aside = start(migrated, marks)
    with aside.cursor() as cursor:
        cursor.execute("DELETE FROM jobs")
        cursor.execute("DELETE FROM workers")
        cursor.execute('DELETE FROM "scheduledCommands"')
        for name in settings.SCHEDULE:  # none is due
            words = f"('{name}', '{soon_after_now()}', false, '')"
            cursor.execute(f'INSERT INTO "scheduledCommands" (name, next_at, is_fault, result) VALUES {words}')
    return aside


POINTS = {"job_taken": 1, "job_begun": 1, "job_done": 2, "job_settled": 1}
"""Where a worker is killed, and how often its job is begun in all."""


def test_killed_at_any_point_of_a_jobs_life_it_leaves_it_to_the_next(aside):
    for point in POINTS:
        aside.store("note", point)
        with aside.worker("--once", failpoint=point) as worker:
            assert worker.wait(30) == -signal.SIGKILL
        aside.put_off("waiting")  # what it did not take, for whom the next one kills
    aside.time_passes()
    aside.once()
    assert aside.states() == ["done"] * len(POINTS)
    assert Counter(aside.marks()) == POINTS


def test_two_workers_do_each_job_once(aside):
    for number in range(60):
        aside.store("note", f"job {number}")
    with aside.worker(), aside.worker():
        wait_until(lambda: set(aside.states()) == {"done"})
    assert sorted(aside.marks()) == sorted(f"job {number}" for number in range(60))


def test_a_job_that_hangs_is_taken_from_its_thread_and_the_others_go_on(aside):
    aside.store("hang", "hangs")
    aside.store("note", "one")
    with aside.worker() as worker:
        wait_until(lambda: aside.states() == ["dead", "done"])
        assert aside.jobs()[0] == ("dead", 1, "It took longer than 1 s.")
        aside.store("note", "two")
        wait_until(lambda: aside.states() == ["dead", "done", "done"])
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(15) == 0  # whatever hangs


def test_where_all_threads_hang_the_process_begins_anew(aside):
    aside.store("hang", "one")
    aside.store("hang", "two")
    with aside.worker("--grace", "0.1") as worker:
        wait_until(lambda: aside.states() == ["dead", "dead"])
        aside.store("note", "three")
        wait_until(lambda: aside.states() == ["dead", "dead", "done"])
        assert worker.poll() is None


def test_what_it_has_counted_in_its_last_second_is_kept(aside):
    port = free_port()
    aside.environment |= {"METRICS_PORT": str(port), "HOST": "127.0.0.1"}
    aside.store("linger", "short", 1)
    with aside.worker() as worker:
        wait_until(aside.marks)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(20) == 0
    counts = Files(folder_of(port)).totals().counts
    rmtree(folder_of(port))
    assert {key[2:]: count for key, count in counts.items() if key[0] == JOBS_DONE} == {("done",): 1}


def test_told_to_end_it_finishes_what_it_can_and_gives_back_the_rest(aside):
    aside.store("linger", "short", 1)
    aside.store("linger", "long", 60)
    aside.store("note", "never begun")
    with aside.worker("--grace", "3") as worker:
        wait_until(lambda: len(aside.marks()) == 2)
        worker.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        assert worker.wait(20) == 0
        assert time.monotonic() - begun < 15
    assert aside.jobs() == [("done", 1, ""), ("waiting", 0, ""), ("waiting", 0, "")]
    assert "short done" in aside.marks()
    assert "never begun" not in aside.marks()
    with aside.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM workers")
        assert cursor.fetchone()[0] == 0


def test_it_ends_with_whoever_started_it(aside):
    with aside.worker("--with-parent") as worker:
        aside.store("note", "one")
        wait_until(lambda: aside.states() == ["done"])
        worker.stdin.close()
        assert worker.wait(15) == 0


def test_a_lease_is_renewed_as_long_as_the_worker_lives(aside):
    aside.store("linger", "one", 60)
    with aside.worker():
        wait_until(lambda: aside.states() == ["running"])
        aside.time_passes()  # as if 20 s had passed
        wait_until(lambda: not aside.is_due())
        aside.once()
        assert aside.jobs() == [("running", 1, "")]


def test_it_goes_on_by_itself_when_the_database_has_thrown_it_out(aside):
    if not aside.on_postgresql:
        pytest.skip("SQLite throws nobody out")
    aside.store("linger", "one", 1)
    with aside.worker() as worker:
        wait_until(lambda: aside.marks() == ["one begun"])
        for _ in range(3):
            with aside.cursor() as cursor:
                cursor.execute(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            time.sleep(0.2)
        aside.store("note", "two")
        wait_until(lambda: aside.states() == ["done", "done"])
        assert (worker.poll(), sorted(aside.marks())) == (None, ["one begun", "one done", "two"])
