"""The fold: a pure function of what Twilio told, tested without a database."""

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from voice.conference_state import END, JOIN, LEAVE, Event, Facts, State, fold

SIX = [
    Event(1, JOIN, "CA1"),
    Event(2, JOIN, "CA2"),
    Event(3, "conference-start", "CA2"),
    Event(4, LEAVE, "CA1"),
    Event(5, "participant-mute", "CA2"),
    Event(6, JOIN, "CA3"),
]
events = st.builds(
    Event,
    st.integers(1, 30),
    st.sampled_from([JOIN, LEAVE, END, "conference-start", "participant-mute"]),
    st.sampled_from(["CA1", "CA2", "CA3"]),
)
histories = st.lists(events, unique_by=lambda event: event.sequence_number, max_size=12)


def on(*sids):
    return State(on=frozenset(sids), ended=False)


def test_every_order_of_a_call_gives_the_same_state():
    assert {fold(order, Facts()) for order in permutations(SIX)} == {on("CA2", "CA3")}


@given(st.data(), histories)
def test_order_never_matters(data, history):
    assert fold(data.draw(st.permutations(history)), Facts()) == fold(history, Facts())


def test_who_has_joined_and_not_left_is_on():
    assert fold(SIX[:1], Facts()) == on("CA1")
    assert fold(SIX[:4], Facts()) == on("CA2")


def test_a_leave_without_a_join_changes_nothing():
    assert fold([Event(1, LEAVE, "CA9"), Event(2, JOIN, "CA1")], Facts()) == on("CA1")


def test_who_leaves_and_joins_again_is_on():
    assert fold([Event(1, JOIN, "CA1"), Event(2, LEAVE, "CA1"), Event(3, JOIN, "CA1")], Facts()) == on("CA1")


@given(histories)
def test_after_the_end_nothing_reopens_it(history):
    ended = fold([Event(0, END, ""), *history], Facts())
    assert ended == State(on=frozenset(), ended=True)


@given(histories, st.frozensets(st.sampled_from(["CA1", "CA2", "CA3"])))
def test_a_completed_call_is_on_no_more_whatever_its_events_say(history, completed):
    assert not fold(history, Facts(completed_calls=completed)).on & completed


@given(histories)
def test_a_completed_conference_is_empty(history):
    assert fold(history, Facts(conference_completed=True)) == State(on=frozenset(), ended=True)
