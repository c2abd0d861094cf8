"""The fold: a pure function of what Twilio told, tested without a database."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.conferences.fold import END, JOIN, LEAVE, Facts, NumberedEvent, Sighting, State, fold

SIX = [
    NumberedEvent(1, JOIN, "CA1"),
    NumberedEvent(2, JOIN, "CA2"),
    NumberedEvent(3, "conference-start", "CA2"),
    NumberedEvent(4, LEAVE, "CA1"),
    NumberedEvent(5, "participant-mute", "CA2"),
    NumberedEvent(6, JOIN, "CA3"),
]
events = st.builds(
    NumberedEvent,
    st.integers(1, 30),
    st.sampled_from([JOIN, LEAVE, END, "conference-start", "participant-mute"]),
    st.sampled_from(["CA1", "CA2", "CA3"]),
)
histories = st.lists(events, unique_by=lambda event: event.sequence_number, max_size=12)


def on(*sids):
    return State(on=frozenset(sids), ended=False)


def test_every_order_of_a_call_gives_the_same_state():
    assert {fold(order, Facts()) for order in permutations(SIX)} == {on("CA2", "CA3")}


@pytest.mark.parametrize("repeated", SIX)
def test_every_order_with_any_event_told_twice_gives_the_same_state(repeated):
    states = {fold(order, Facts()) for order in permutations([*SIX, repeated])}
    assert states == {on("CA2", "CA3")}


def test_gaps_in_the_numbers_do_not_matter():
    spread = [NumberedEvent(event.sequence_number * 1000, event.kind, event.call_sid) for event in SIX]
    assert fold(spread, Facts()) == fold(SIX, Facts())


@given(st.data(), histories)
def test_order_never_matters(data, history):
    assert fold(data.draw(st.permutations(history)), Facts()) == fold(history, Facts())


@given(histories, st.sampled_from(["CA1", "CA2", "CA3"]))
def test_of_one_leg_its_own_events_and_the_ends_tell_everything(history, sid):
    own = [event for event in history if event.call_sid == sid or event.kind == END]
    whole, part = fold(history, Facts()), fold(own, Facts())
    assert (sid in part.on, part.ended) == (sid in whole.on, whole.ended)


def test_who_has_joined_and_not_left_is_on():
    assert fold(SIX[:1], Facts()) == on("CA1")
    assert fold(SIX[:4], Facts()) == on("CA2")


def test_a_leave_without_a_join_changes_nothing():
    assert fold([NumberedEvent(1, LEAVE, "CA9"), NumberedEvent(2, JOIN, "CA1")], Facts()) == on("CA1")


def test_who_leaves_and_joins_again_is_on():
    assert fold(
        [NumberedEvent(1, JOIN, "CA1"), NumberedEvent(2, LEAVE, "CA1"), NumberedEvent(3, JOIN, "CA1")], Facts()
    ) == on("CA1")


@given(histories)
def test_after_the_end_nothing_reopens_it(history):
    ended = fold([NumberedEvent(0, END, ""), *history], Facts())
    assert ended == State(on=frozenset(), ended=True)


@given(histories, st.frozensets(st.sampled_from(["CA1", "CA2", "CA3"])))
def test_a_completed_call_is_on_no_more_whatever_its_events_say(history, completed):
    assert not fold(history, Facts(completed_calls=completed)).on & completed


def test_a_sighting_counts_as_told_after_the_event_that_was_known_then():
    joined = [NumberedEvent(1, JOIN, "CA1"), NumberedEvent(5, LEAVE, "CA1")]
    assert fold(joined[:1], Facts(sightings=(Sighting(2, "CA1", on=False),))) == on()
    assert fold(joined, Facts(sightings=(Sighting(3, "CA1", on=True),))) == on()
    assert fold(joined, Facts(sightings=(Sighting(7, "CA1", on=True),))) == on("CA1")


@pytest.mark.parametrize("told", [JOIN, LEAVE])
def test_a_sighting_counts_after_the_event_whose_number_it_names(told):
    seen = Sighting(1, "CA1", on=told == LEAVE)
    assert fold([NumberedEvent(1, told, "CA1")], Facts(sightings=(seen,))) == (on("CA1") if seen.on else on())


@given(histories, st.lists(st.builds(Sighting, st.integers(0, 30), st.sampled_from(["CA1", "CA2"]), st.booleans())))
def test_a_sighting_after_every_event_has_the_last_word(history, sightings):
    last = Sighting(31, "CA1", on=True)
    state = fold(history, Facts(sightings=(*sightings, last)))
    assert state.ended or "CA1" in state.on


@given(histories)
def test_a_completed_conference_is_empty(history):
    assert fold(history, Facts(conference_completed=True)) == State(on=frozenset(), ended=True)
