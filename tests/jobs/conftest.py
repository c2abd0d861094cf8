"""A queue in the tests' own process, and what its jobs have done."""

import pytest
from django.utils import timezone

from core.jobs.models import Job
from core.jobs.worker import do_all
from tests.jobs import tasks


@pytest.fixture(autouse=True)
def marks(tmp_path, monkeypatch):
    """What was done, in its order."""
    file = tmp_path / "marks"
    file.touch()
    monkeypatch.setenv(tasks.MARKS, str(file))
    return lambda: file.read_text().splitlines()


@pytest.fixture
def run_due():
    """Does what is due, and says of each whether it went well."""
    return lambda: [is_well for _, is_well in do_all()]


@pytest.fixture
def later():
    """Whatever waits, or is leased, is due: time has passed."""

    def later():
        Job.objects.unfinished().update(due_at=timezone.now())

    return later
