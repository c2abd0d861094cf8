"""The fold: a pure function of what Twilio told, tested without a database."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.conferences.fold import COMES_BACK, END, JOIN, LEAVE, Facts, NumberedEvent, Sighting, State, SteppedOut, fold

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
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
    stepped_out_at=st.none() | st.integers(0, 90).map(lambda seconds: NOON + timedelta(seconds=seconds)),
)
menus = st.lists(
    st.builds(SteppedOut, st.integers(0, 30), st.sampled_from(["CA1", "CA2"]), st.just(NOON)),
    unique_by=lambda step: step.call_sid,
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
    facts = Facts(stepped_out=tuple(data.draw(menus)))
    again = Facts(stepped_out=tuple(data.draw(st.permutations(facts.stepped_out))))
    assert fold(data.draw(st.permutations(history)), again) == fold(history, facts)


@given(histories, st.sampled_from(["CA1", "CA2", "CA3"]))
def test_of_one_leg_its_own_events_and_the_ends_tell_everything(history, sid):
    own = [event for event in history if event.call_sid == sid or event.kind == END]
    whole, part = fold(history, Facts()), fold(own, Facts())
    assert (sid in part.on, part.ended) == (sid in whole.on, whole.ended)
    assert [each for each in part.out if each[0] == sid] == [each for each in whole.out if each[0] == sid]


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


@given(histories, menus)
def test_nobody_is_on_and_out_at_once(history, stepped_out):
    state = fold(history, Facts(stepped_out=tuple(stepped_out)))
    assert not state.on & {sid for sid, _ in state.out}


@given(histories, st.frozensets(st.sampled_from(["CA1", "CA2", "CA3"])))
def test_a_completed_call_is_on_no_more_whatever_its_events_say(history, completed):
    state = fold(history, Facts(completed_calls=completed))
    assert not state.here(NOON) & completed


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
    state = fold(history, Facts(conference_completed=True))
    assert (state.on, state.ended) == (frozenset(), True)


# Who steps out into the menu of their keypad, and comes back


def steps_out(number, sid, at=NOON):
    return NumberedEvent(number, LEAVE, sid, stepped_out_at=at)


JOINED = [NumberedEvent(1, JOIN, "CA1"), NumberedEvent(2, JOIN, "CA2")]
BACK = [*JOINED, steps_out(3, "CA1"), NumberedEvent(5, JOIN, "CA1")]
LATER = NOON + COMES_BACK


def test_who_steps_out_is_here_for_half_a_minute_and_not_a_moment_longer():
    state = fold([*JOINED, steps_out(3, "CA1")], Facts())
    assert (state.on, state.out) == ({"CA2"}, {("CA1", NOON)})
    assert state.here(LATER - timedelta(milliseconds=1)) == {"CA1", "CA2"}
    assert state.here(LATER) == {"CA2"}


def test_every_order_of_stepping_out_and_coming_back_twice_ends_the_same():
    twice = [*BACK, steps_out(6, "CA1"), NumberedEvent(7, JOIN, "CA1")]
    assert {fold(order, Facts()) for order in permutations(twice)} == {on("CA1", "CA2")}


@pytest.mark.parametrize("repeated", BACK)
@pytest.mark.parametrize("menu", [0, 2, 3, 4])
def test_every_order_with_the_menu_asked_for_before_or_after_the_leave_ends_the_same(repeated, menu):
    facts = Facts(stepped_out=(SteppedOut(menu, "CA1", NOON),))
    assert {fold(order, facts) for order in permutations([*BACK, repeated])} == {on("CA1", "CA2")}


@pytest.mark.parametrize("leave", [NumberedEvent(3, LEAVE, "CA1"), steps_out(3, "CA1")])
@pytest.mark.parametrize("menu", [2, 3, 4])
def test_what_the_menu_was_asked_tells_of_a_leave_that_says_nothing(leave, menu):
    """And of one that is told before it, after it, or never."""
    facts = Facts(stepped_out=(SteppedOut(menu, "CA1", NOON),))
    for told in ([*JOINED, leave], JOINED):
        assert fold(told, facts).out == {("CA1", NOON)}


def test_the_half_minute_begins_at_the_first_word_of_it():
    late = SteppedOut(3, "CA1", NOON + timedelta(seconds=5))
    assert fold([*JOINED, steps_out(3, "CA1")], Facts(stepped_out=(late,))).out == {("CA1", NOON)}
    before = SteppedOut(2, "CA1", NOON + timedelta(seconds=5))
    assert fold([*JOINED, steps_out(3, "CA1")], Facts(stepped_out=(before,))).out == {("CA1", NOON)}
    early = SteppedOut(2, "CA1", NOON - timedelta(seconds=5))
    assert fold([*JOINED, steps_out(3, "CA1")], Facts(stepped_out=(early,))).out == {("CA1", early.at)}


@pytest.mark.parametrize("menu", [1, 2, 3])
def test_who_was_alone_and_steps_out_ends_the_conference_and_is_here_all_the_same(menu):
    told = [NumberedEvent(1, JOIN, "CA1"), steps_out(2, "CA1"), NumberedEvent(3, END, "CA1")]
    facts = Facts(stepped_out=(SteppedOut(menu, "CA1", NOON),))
    for order in permutations(told):
        state = fold(order, facts)
        assert (state.on, state.ended, state.here(NOON), state.here(LATER)) == (set(), True, {"CA1"}, set())


def test_so_they_are_where_their_leave_is_never_told():
    told, facts = [JOINED[0], NumberedEvent(3, END, "CA1")], Facts(stepped_out=(SteppedOut(3, "CA1", NOON),))
    assert (fold(told, facts).ended, fold(told, facts).here(NOON)) == (True, {"CA1"})


def test_who_hangs_up_in_the_menu_is_gone_at_once():
    told, facts = [*JOINED, steps_out(3, "CA1")], Facts(completed_calls=frozenset({"CA1"}))
    assert fold(told, facts).here(NOON) == {"CA2"}


def test_who_is_asked_about_while_they_are_out_is_out():
    told, facts = [*JOINED, steps_out(3, "CA1")], Facts(sightings=(Sighting(3, "CA1", on=False),))
    assert fold(told, facts).here(NOON) == {"CA1", "CA2"}


def test_a_step_out_that_overtakes_its_join_shows_nobody_who_was_not_there():
    assert fold([steps_out(3, "CA1")], Facts()).here(NOON) == set()
