"""`--dry-run` says what it found and would do, and changes nothing."""

import hashlib
from pathlib import Path

from tests.adoption.first import adopted, count_of


def state(old):
    """The file's bytes, or all rows of all tables."""
    if old.vendor == "postgresql":
        return old.dump()
    folder = Path(old.file).parent
    return {each.name: hashlib.sha256(each.read_bytes()).hexdigest() for each in folder.iterdir()}


def test_it_changes_nothing(old):
    before = state(old)
    said = adopted(old.url, "--dry-run")
    assert state(old) == before
    assert "Nothing was changed." in said


def test_it_says_what_is_there_and_what_would_become_of_it(old):
    old.part("usersGroupsMembership", 2, None)
    said = adopted(old.url, "--dry-run")
    assert [line.split() for line in said.splitlines() if line.startswith(("activities", "people", "members"))] == [
        ["activities", "30"],
        ["people", "3", "1", "0", "2"],
        ["members", "5", "2", "1", "2"],
        ["activities", "30", "0", "0", "30"],
    ]
    assert count_of(said, "people whose e-mail is another's, but for its case") == 1
    assert "7 into 1" in said
    assert count_of(said, "members: rows of one person in one group beside their first") == 2
    assert "person 2 in group 1" in said
    assert count_of(said, "phone numbers without a country") == 1
    assert count_of(said, "people without a Stripe customer") == 1
    assert count_of(said, "people with a card at Stripe") == 1
    assert count_of(said, "groups that nobody owns") == 1


def test_it_quotes_nobodys_e_mail_or_name(old):
    said = adopted(old.url, "--dry-run")
    assert "@" not in said
    assert "Person" not in said


def test_however_it_is_cut_the_same_is_said_as_is_done(old):
    would = noted(adopted(old.url, "--dry-run"))
    assert would
    assert noted(adopted(old.url, "--dry-run", "--at-once", "1")) == would
    assert noted(adopted(old.url, "--at-once", "7")) == would


def noted(said):
    """Its lines of what was found, each with its count."""
    return [line for line in said.splitlines() if line[:11].strip().isdigit()]
