"""What is said on a call is told as it happens: final words one by one, and what is being said as far as it is new."""

import pytest

from groups.models import Membership
from tests.live.events import events_of
from tests.voice.captions.conftest import hear, path, talk, turn  # noqa: F401  # fixtures
from tests.voice.conftest import leg, tell, twilio  # noqa: F401  # fixtures


@pytest.fixture
def follow(api, group):
    """What a person is told since they asked last: of captions alone."""
    places = {}

    def follow(user, **query):
        headers = {"Last-Event-ID": places[user.pk]} if user.pk in places else {}
        heard = events_of(api.get("/api/live", {"userId": user.pk, **query}, headers=headers).content)
        places[user.pk] = heard[-1].id if heard else places[user.pk]
        assert "reset" not in [each.name for each in heard]
        return [
            (each.data["caption"]["displayName"], each.data["caption"]["text"], each.data["final"])
            for each in heard
            if each.name == "caption"
        ]

    return follow


@pytest.mark.usefixtures("talk")
def test_final_words_come_one_by_one_and_what_is_being_said_as_it_is(follow, hear, alice, bob):  # noqa: F811
    assert follow(bob) == []
    hear("Hel", 1, final=False)
    hear("Hello", 2, final=False)
    assert follow(bob) == [("Alice", "Hello", False)]
    hear("Hello.", 3)
    hear("Bob?", 4)
    hear("Are you", 5, final=False)
    hear("Yes", 1, call="CA2", final=False)
    assert sorted(follow(bob)) == sorted(
        [("Alice", "Hello.", True), ("Alice", "Bob?", True), ("Alice", "Are you", False), ("Bob", "Yes", False)]
    )
    hear("Are you there?", 6)
    assert follow(bob) == [
        ("Alice", "Are you there?", True),
        ("Bob", "Yes", False),
    ]
    assert follow(bob) == []


@pytest.mark.usefixtures("talk")
def test_a_final_comes_before_what_is_being_said_after_it(follow, hear, bob):  # noqa: F811
    follow(bob)
    hear("How", 5, final=False)
    hear("Hello.", 3)
    assert follow(bob) == [("Alice", "Hello.", True), ("Alice", "How", False)]


@pytest.mark.usefixtures("talk")
def test_who_is_only_invited_hears_nothing_until_they_are_in(follow, hear, group, carol, dave):  # noqa: F811
    assert follow(carol) == []
    hear("between us", 1)
    hear("and", 2, final=False)
    assert follow(carol) == []
    Membership.objects.create(group=group, user=carol)
    hear("welcome", 3)
    assert follow(carol) == [("Alice", "welcome", True)]


@pytest.mark.usefixtures("talk")
def test_a_caption_that_is_not_kept_is_told_too(follow, hear, turn, bob):  # noqa: F811
    turn(keep=False)
    follow(bob)
    hear("between us", 1)
    assert follow(bob) == [("Alice", "between us", True)]


@pytest.mark.usefixtures("talk")
def test_it_makes_no_kept_answer_of_the_group_old(hear, group):  # noqa: F811
    group.refresh_from_db()
    before = group.version
    hear("Hel", 1, final=False)
    hear("Hello.", 2)
    group.refresh_from_db()
    assert group.version == before
