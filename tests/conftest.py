"""The cast, and the client that they use: every answer is held to the project's own OpenAPI document."""

import gc
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import hypothesis
import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db import connection
from django.test import TransactionTestCase
from pytest_django import DjangoDbBlocker
from rest_framework.exceptions import PermissionDenied
from rest_framework.test import APIClient

from core.jobs.worker import do_all
from groups.models import Group, Invitation, Membership, Ownership
from tests.emptying import empty
from tests.openapi import check_answer
from uploads import images
from users.models import User

pytest_plugins = ["tests.neighbours", "tests.budget", "tests.doubles.fixtures", "tests.operators_log"]

PBKDF2PasswordHasher.iterations = 1000  # the real million takes a third of a second for each password that is tried

hypothesis.settings.register_profile("untimed", deadline=None)  # a busy machine is no fault
hypothesis.settings.load_profile("untimed")


class Client(APIClient):
    """Speaks JSON, and checks every API answer against the OpenAPI document."""

    def generic(self, method: str, path: str, *args: Any, **kwargs: Any) -> Any:
        response = super().generic(method, path, *args, **kwargs)
        check_answer(method, path, response)
        return response


def pytest_collection_finish() -> None:
    """Whatever is loaded by now stays: the collector need not go through it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


@pytest.fixture
def sign_in(settings: Any) -> None:
    """As `make run SIGN_IN=on`: `users.sign_in.local_issuer.local_token` gives tokens."""
    settings.OPEN_MODE, settings.SIGN_IN = False, True


@pytest.fixture
def api() -> Client:
    return Client(raise_request_exception=True)


def forbid() -> None:
    """In a `check`: they may not any more, now that it is their turn."""
    raise PermissionDenied


def person(name: str, **fields: Any) -> User:
    return User.objects.create(email=f"{name.lower()}@example.com", display_name=name, **fields)


@pytest.fixture
def alice(db: None) -> User:
    """Owns the group, and is a member of it."""
    return person("Alice")


@pytest.fixture
def bob(db: None) -> User:
    """A member of the group."""
    return person("Bob")


@pytest.fixture
def carol(db: None) -> User:
    """Invited to the group."""
    return person("Carol")


@pytest.fixture
def dave(db: None) -> User:
    """A stranger."""
    return person("Dave")


@pytest.fixture
def group(alice: User, bob: User, carol: User) -> Group:
    group = Group.objects.create(name="Family")
    Ownership.objects.create(group=group, user=alice)
    Membership.objects.create(group=group, user=alice)
    Membership.objects.create(group=group, user=bob)
    Invitation.objects.create(group=group, user=carol)
    return group


@pytest.fixture(autouse=True)
def _pictures_have_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests run side by side on a busy machine, on which one large picture is decoded at a time."""
    monkeypatch.setattr(images, "WAIT", 60)
    monkeypatch.setattr(images, "MOST_SECONDS", 120)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """A database that is thrown away: what it has committed need not be on the disk."""
    TransactionTestCase._fixture_teardown = empty
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            name = connection.ops.quote_name(connection.settings_dict["NAME"])
            cursor.execute(f"ALTER DATABASE {name} SET synchronous_commit TO off")
            cursor.execute("SET synchronous_commit TO off")


@pytest.fixture
def signing_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """From now on, what is signed and how old a signature is goes by a clock so many hours ahead (behind, below 0)."""

    def signing_clock(hours: float) -> None:
        now = time.time() + hours * 3600
        monkeypatch.setattr("django.core.signing.time", SimpleNamespace(time=lambda: now))

    return signing_clock


@pytest.fixture
def run_jobs() -> Callable[..., list[str]]:
    """Does what is due, as a worker would; which tasks. Each must go well, or all of them be `failing`."""

    def run_jobs(*, failing: bool = False) -> list[str]:
        done = do_all()
        assert [job.task for job, is_well in done if is_well == failing] == []
        return [job.task.rpartition(".")[2] for job, _ in done]

    return run_jobs


@pytest.fixture
def on_postgresql(db: None) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("row locks mean nothing on SQLite")


@pytest.fixture(scope="session", autouse=True)
def _close_what_threads_left() -> Iterator[None]:
    yield
    gc.collect()
