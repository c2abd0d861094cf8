"""Whether a leg is muted: a pure function of what Twilio told of it; and how it is read from the stored events."""

import random
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.doubles.twilio import ago
from tests.neighbours import ours
from tests.voice.conferences.test_reconciliation import later, talk  # noqa: F401  # a fixture
from voice.conferences.fold import END, JOIN, LEAVE, MUTE, UNMUTE, MutedTold, NumberedEvent, is_muted
from voice.conferences.reconciliation import reconcile_calls
from voice.models import Call

TALK = [
    NumberedEvent(1, JOIN, "CA1"),
    NumberedEvent(2, MUTE, "CA1"),
    NumberedEvent(4, UNMUTE, "CA1"),
    NumberedEvent(7, MUTE, "CA1"),
    NumberedEvent(8, "participant-hold", "CA1"),
]
events = st.builds(
    NumberedEvent,
    st.integers(1, 30),
    st.sampled_from([JOIN, LEAVE, MUTE, UNMUTE, END, "participant-hold"]),
    st.just("CA1"),
    muted=st.booleans(),
)
histories = st.lists(events, unique_by=lambda event: event.sequence_number, max_size=12)
answers = st.none() | st.builds(MutedTold, st.integers(0, 30), st.booleans())


def test_every_order_with_any_event_told_twice_says_the_same():
    assert {is_muted([*order, order[0]]) for order in permutations(TALK)} == {True}
    assert {is_muted(order) for order in permutations(TALK[:3])} == {False}


@given(st.data(), histories, answers)
def test_order_and_repetition_never_matter(data, history, told):
    again = history + data.draw(st.lists(st.sampled_from(history))) if history else history
    assert is_muted(data.draw(st.permutations(again)), told) == is_muted(history, told)


@given(histories, st.booleans())
def test_what_twilio_said_after_every_event_has_the_last_word(history, muted):
    assert is_muted(history, MutedTold(31, muted)) is muted


@pytest.mark.parametrize(("after", "muted"), [(1, True), (2, True), (3, False)])
def test_what_twilio_said_counts_between_the_event_that_was_known_and_the_next(after, muted):
    told = [NumberedEvent(1, JOIN, "CA1"), NumberedEvent(3, MUTE, "CA1")]
    assert is_muted(told, MutedTold(after, muted=False)) is muted


@pytest.mark.parametrize("muted", [True, False])
def test_who_joins_again_is_muted_as_they_were_let_in(muted):
    assert is_muted([*TALK, NumberedEvent(9, LEAVE, "CA1"), NumberedEvent(10, JOIN, "CA1", muted=muted)]) is muted


def test_of_who_has_never_joined_nobody_says_that_they_are_muted():
    assert is_muted([]) is False


@pytest.fixture
def muted(api, group):
    """Who is muted, as clients see it."""
    return lambda: [
        each["displayName"] for each in api.get(f"/api/groups/{group.pk}/call").json()["participants"] if each["muted"]
    ]


@pytest.mark.parametrize("seed", range(6))
def test_any_order_and_any_repetition_are_read_the_same(tell, leg, muted, alice, bob, seed):
    leg(alice, "CA1"), leg(bob, "CA2")
    told = [
        (1, "participant-join", "CA1"),
        (2, "participant-join", "CA2"),
        (3, "participant-mute", "CA1"),
        (4, "participant-mute", "CA2"),
        (5, "participant-unmute", "CA1"),
        (6, "participant-unmute", "CA2"),
        (7, "participant-mute", "CA2"),
    ] * 2
    random.Random(seed).shuffle(told)
    for event in told:
        tell(*event)
    assert muted() == ["Bob"]


def test_one_without_a_usable_number_says_nothing(tell, leg, muted, alice):
    tell(1, "participant-join", leg(alice, "CA1"))
    tell("x", "participant-mute", "CA1")
    assert muted() == []


def test_who_is_let_in_muted_is_muted(tell, leg, muted, alice):
    tell(1, "participant-join", leg(alice, "CA1"), Muted="true")
    assert muted() == ["Alice"]


def test_who_is_let_in_muted_and_unmuted_later_is_heard_whatever_the_event_leaves_unsaid(tell, leg, muted, alice):
    sid = leg(alice, "CA1")
    ours(Call).filter(sid=sid).update(let_in_muted=True)
    tell(1, "participant-join", sid)
    assert muted() == ["Alice"]
    tell(2, "participant-unmute", sid)
    assert muted() == []


def test_a_mute_whose_event_was_lost_is_seen_when_twilio_is_asked(talk, twilio_double, muted):  # noqa: F811
    talk.tell(1, "participant-join", talk.alice)
    talk.tell(2, "participant-join", talk.bob)
    twilio_double.muted.add(talk.bob)
    reconcile_calls(now=later())
    assert muted() == ["Bob"]
    talk.tell(3, "participant-unmute", talk.bob)
    assert muted() == []


def test_what_twilio_says_of_a_call_is_no_older_than_what_it_told(talk, twilio_double, muted):  # noqa: F811
    talk.tell(1, "participant-join", talk.bob)
    talk.tell(2, "participant-mute", talk.bob)
    reconcile_calls(now=later())
    assert muted() == []
    twilio_double.end_call(talk.bob, seconds=61, end_time=ago())
