"""`--into`: the old database stays as it is, and either kind goes into either kind."""

import signal

import pytest

from tests.adoption.conftest import empty, family
from tests.adoption.first import Old, adopt, adopted, ask


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_it_is_copied_once_and_the_old_one_stays(old, tmp_path_factory, kind):
    if old.vendor == "sqlite" and kind == "postgresql":
        pytest.skip("the tests on PostgreSQL have one")
    before = old.dump()
    with empty(tmp_path_factory, "new", kind) as new:
        assert "The ledger is sound" in adopted(old.url, "--into", new)
        assert old.dump() == before
        assert ask(new, "/api/users/1/accountBalance") == [[200, {"accountBalance": "14.75"}]]
        copied = Old(new).dump()
        assert not any(name.startswith("first_") for name in copied)
        assert "is taken over" in adopted(old.url, "--into", new)
        assert Old(new).dump() == copied
        Old(new).run('DROP TABLE "adoptionSteps"')
        refused(old, new, "holds people already")


def test_another_programs_database_is_refused(old, another_url):
    refused(old, Old(another_url).make().url, "of another program")


def refused(old, into, why):
    """In a sentence, and nothing is changed."""
    before = Old(into).dump()
    status, _, wrong = adopt(old.url, "--into", into)
    assert (status, wrong.count("\n")) == (1, 1)
    assert why in wrong
    assert Old(into).dump() == before


def test_from_sqlite_into_postgresql(on_postgresql, another_url, tmp_path):
    old = family(Old(f"sqlite:///{tmp_path}/first.sqlite3").make())
    assert adopt(old.url, "--into", another_url, "--at-once", "9", FAILPOINT="adopted_part")[0] == -signal.SIGKILL
    adopted(old.url, "--into", another_url)
    assert ask(another_url, "/api/groups/1/callStatus") == [[200, {"callStatus": False}]]


def test_a_dry_run_makes_nothing_there(old, another_url):
    assert "Nothing was changed." in adopted(old.url, "--dry-run", "--into", another_url)
    assert Old(another_url).dump() == {}


@pytest.mark.parametrize("into", ["mysql://localhost/x", "sqlite:///", "the same"])
def test_an_address_that_cannot_be_is_refused(old, into):
    status, _, wrong = adopt(old.url, "--into", old.url if into == "the same" else into)
    assert (status, wrong.count("\n")) == (1, 1)
    assert "--into" in wrong
