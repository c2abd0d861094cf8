"""What one client is told of what is so now, and from which place it goes on: without a database."""

import json

import pytest

from core.base64url import decoded, encoded
from core.streams import Opening
from groups.live import places
from groups.live.follower import AHEAD, OLDEST, Follower
from groups.live.places import LONGEST, NOTHING, NOWHERE, Mark, digest_of, oldest, read
from groups.live.states import MOST_MISSED, GroupState, PersonState
from groups.live.watch import Changes, Watch

NOW = 1_764_000_000
OLD, NEW = b"oldold", b"newnew"
SIGN_IN = ("https://issuer.example.com", "bob")
FAMILY, WORK = 5, 6
TOO_MANY = [(2 + n, b"{}") for n in range(MOST_MISSED + 1)]
"""Activities, or captions, after the first."""


# --- Places ----------------------------------------------------------------------------------------------------------

MARKS = {FAMILY: Mark(300, OLD, 7), WORK: Mark(0, NEW, 0)}
MANY = {pk: Mark(2**40, OLD, 2**40) for pk in range(1, 200)}
HEAD, WHOLE = (decoded(places.written(NOW, 12, NEW, marks)) for marks in ({}, {FAMILY: MARKS[FAMILY]}))
"""What a place of no group is, and of one."""
MARK = WHOLE.removeprefix(HEAD)


def is_read(text):
    try:
        read(text)
    except ValueError:
        return False
    return True


def test_a_place_is_read_as_it_was_written():
    assert read(places.written(NOW + 0.7, 12, NEW, MARKS)) == (NOW, 12, NEW, MARKS)
    assert read(places.written(NOW, None, NOTHING, {})) == (NOW, 0, NOTHING, {})


def test_a_place_of_too_many_groups_says_nothing():
    assert places.written(NOW, 1, OLD, MANY) == NOWHERE
    assert not is_read(NOWHERE)


def test_a_place_has_room_for_229_groups_of_few_words():
    marks = {pk: Mark(0, OLD) for pk in range(1, 230)}
    text = places.written(NOW, 1, OLD, marks)
    assert (len(text), read(text).marks) == (LONGEST, marks)
    assert places.written(NOW, 1, OLD, {**marks, 230: Mark(0, OLD)}) == NOWHERE


def test_a_longer_one_is_not_read(monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(places, "LONGEST", 10 * LONGEST)
        long = places.written(NOW, 1, OLD, MANY)
        assert read(long).marks == MANY
    assert not is_read(long)


NO_PLACES = {
    "of another form": encoded(bytes((places.FORM + 1,)) + WHOLE[1:]),
    "that names a group twice": encoded(WHOLE + MARK),
    "with a number beyond all ids": encoded(WHOLE + b"\x08" + b"\xff" * 8 + MARK[2:]),
    "with the first number beyond all ids": encoded(WHOLE + b"\x08\x80" + bytes(7) + MARK[2:]),
    "in other letters": "é" * 12,
    "nothing": "",
}


@pytest.mark.parametrize("text", NO_PLACES.values(), ids=NO_PLACES)
def test_it_is_no_place(text):
    assert not is_read(text)


def test_no_part_of_a_place_is_one_but_for_whole_marks():
    assert [length for length in range(len(WHOLE)) if is_read(encoded(WHOLE[:length]))] == [len(HEAD)]


def test_a_place_is_written_in_one_way():
    text = next(text for each in range(9) if len(text := places.written(NOW, 2**each, NEW, {})) % 4)
    others = [text[:-1] + letter for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"]
    same = [other for other in others if other != text and decoded(other) == decoded(text)]
    assert [is_read(other) for other in same] == [False] * len(same) != []


def test_up_to_where_two_know_all_is_the_earlier_of_each():
    assert oldest(Mark(3, OLD, 9), Mark(5, OLD, 2))[::2] == (3, 2)
    assert oldest(Mark(5, OLD, 2), Mark(3, OLD, 9))[::2] == (3, 2)


def test_a_digest_tells_where_one_part_ends():
    assert digest_of([b"ab", b"c"]) != digest_of([b"a", b"bc"])


# --- What is owed ----------------------------------------------------------------------------------------------------


def group(number=1, digest=NEW, caption=0, **told):
    said = {"group": b'"family"', "groupMembers": b'"bob"', **told}
    return GroupState("Family", said, Mark(number, digest, caption), frozenset(), frozenset())


def person(*groups, **fields):
    usual = {"told": {"groups": b'"theirs"', "accountBalance": b'"1.00"'}, "digest": NEW, "groups": frozenset(groups)}
    usual |= {"talks": frozenset(groups), "is_active": True, "is_staff": False, "sign_in": SIGN_IN}
    return PersonState(**{**usual, **fields})


def world(bob, **groups):
    made = Watch()
    made.people = {} if bob is None else {1: bob}
    made.groups = {{"family": FAMILY, "work": WORK}[name]: state for name, state in groups.items()}
    return made


def follower(*, marks=None, digest=NEW, place=None, **fields):
    usual = {"person": 1, "sign_in": SIGN_IN, "groups": None, "until": float("inf"), "seat": "a"}
    made = Follower(Opening(**{**usual, "place": place, **fields}))
    made.digest, made.marks = digest, dict(marks or {})
    return made


def said(events):
    """Each event's name, its data, and the place after it."""
    return [
        (lines[1].partition(b" ")[2].decode(), lines[2].partition(b" ")[2], lines[0].partition(b" ")[2].decode())
        for lines in (event.split(b"\n") for event in events)
    ]


def names(events):
    return [name for name, *_ in said(events)]


def place(marks):
    return places.written(NOW, 1, NEW, marks)


@pytest.mark.parametrize(
    "bob",
    [None, person(FAMILY, is_active=False), person(FAMILY, sign_in=("https://issuer.example.com", "ben"))],
    ids=["gone", "disabled", "signs in otherwise"],
)
def test_who_may_follow_nothing_is_told_nothing_from_the_first(bob):
    one = follower(place=place({FAMILY: Mark(1, NEW)}))
    assert list(one.begin(world(bob, family=group()), Changes(), NOW)) == []
    assert one.is_over


@pytest.mark.parametrize(
    ("age", "is_gone_on_from"), [(OLDEST, True), (OLDEST + 1, False), (-AHEAD, True), (-AHEAD - 1, False)]
)
def test_a_place_is_gone_on_from_within_the_hour_and_from_a_clock_that_is_a_little_ahead(age, is_gone_on_from):
    one = follower(place=places.written(NOW - age, 1, NEW, {}))
    assert (one.resumes_at(NOW) is not None) == is_gone_on_from


def test_nobodys_place_is_gone_on_from_by_whoever_names_groups_alone():
    nobodys = places.written(NOW, None, NOTHING, {FAMILY: Mark(1, NEW)})
    open_mode = {"person": None, "sign_in": None, "groups": frozenset({FAMILY}), "place": nobodys}
    assert follower(**open_mode).resumes_at(NOW) is not None
    assert follower(place=nobodys).resumes_at(NOW) is None


def test_a_group_that_is_theirs_no_more_keeps_nobody_from_going_on():
    """However far it was when they knew it."""
    one = follower(place=place({WORK: Mark(90, NEW), FAMILY: Mark(1, NEW)}))
    told = said(one.begin(world(person(FAMILY), family=group(), work=group()), Changes(), NOW))
    assert [name for name, *_ in told] == ["ready", "group"]
    assert json.loads(told[1][1]) == {"groupId": WORK, "group": None}
    assert set(read(told[1][2]).marks) == {FAMILY}


def test_a_group_that_is_gone_is_told_of_as_gone():
    one = follower(marks={FAMILY: Mark(1, NEW)})
    [(name, data, after)] = said(one.go_on(world(person()), Changes(groups={FAMILY: None}), NOW))
    assert (name, json.loads(data)["group"], read(after).marks) == ("group", None, {})


@pytest.mark.parametrize(("known", "told"), [(1, ["ready", "reset"]), (MOST_MISSED + 2, ["ready"])])
def test_who_missed_too_much_reads_all_again_and_who_missed_nothing_does_not(known, told):
    one = follower(place=place({FAMILY: Mark(known, NEW)}))
    changes = Changes(activities={FAMILY: TOO_MANY})
    assert names(one.begin(world(person(FAMILY), family=group(MOST_MISSED + 2)), changes, NOW)) == told


@pytest.mark.parametrize(
    ("state", "changes", "told"),
    [
        (group(2, caption=1), Changes(activities={FAMILY: [(2, b"{}")]}), ["activity"]),
        (group(0, caption=1), Changes(), ["reset"]),
        (group(1), Changes(), ["reset"]),
        (group(900, caption=1), Changes(activities={FAMILY: TOO_MANY}), ["reset"]),
        (group(1, caption=900), Changes(captions={FAMILY: TOO_MANY}), ["reset"]),
    ],
    ids=["one more", "fewer activities", "fewer captions", "too many activities", "too many captions"],
)
def test_what_cannot_be_told_one_by_one_is_read_again(state, changes, told):
    one = follower(marks={FAMILY: Mark(1, NEW, 1)})
    changes.groups = {FAMILY: state}
    events = said(one.go_on(world(person(FAMILY), family=state), changes, NOW))
    assert [name for name, *_ in events] == told
    assert read(events[-1][2]).marks == {FAMILY: state.mark}


def test_a_group_that_was_not_looked_at_yet_is_told_later():
    one = follower()
    assert list(one.go_on(world(person(FAMILY)), Changes(people={1: person(FAMILY)}), NOW)) == []


HEARS = {
    "who is in it": (person(FAMILY), {}, True),
    "who is invited": (person(FAMILY, talks=frozenset()), {}, False),
    "staff who name it": (person(is_staff=True), {"groups": frozenset({FAMILY})}, True),
    "staff who are invited and do not": (person(FAMILY, talks=frozenset(), is_staff=True), {}, False),
    "who names it and is invited": (person(FAMILY, talks=frozenset()), {"groups": frozenset({FAMILY})}, False),
    "staff of open mode who are invited": (
        person(FAMILY, talks=frozenset(), is_staff=True),
        {"groups": frozenset({FAMILY}), "sign_in": None},
        False,
    ),
    "nobody, in open mode": (None, {"person": None, "sign_in": None, "groups": frozenset({FAMILY})}, True),
}


@pytest.mark.parametrize(("bob", "fields", "hears"), HEARS.values(), ids=HEARS)
def test_what_is_said_hears_whoever_is_in_the_conversation(bob, fields, hears):
    state = group(caption=1, **{"caption:GT1": b'"partial"'})
    changes = Changes(groups={FAMILY: state}, captions={FAMILY: [(1, b'"final"')]})
    one = follower(marks={FAMILY: Mark(1, OLD, 0)}, **fields)
    told = [data for name, data, _ in said(one.go_on(world(bob, family=state), changes, NOW)) if name == "caption"]
    assert told == ([b'"final"', b'"partial"'] if hears else [])


def test_of_activities_and_captions_those_are_told_that_are_new_to_them_and_have_happened():
    numbered = [(n, b"%d" % n) for n in range(1, 7)]
    state = group(4, caption=3)
    changes = Changes(groups={FAMILY: state}, activities={FAMILY: numbered}, captions={FAMILY: numbered})
    one = follower(marks={FAMILY: Mark(2, NEW, 1)})
    told = said(one.go_on(world(person(FAMILY), family=state), changes, NOW))
    assert [(name, data) for name, data, _ in told] == [
        *(("activity", b"3"), ("activity", b"4"), ("caption", b"2"), ("caption", b"3"))
    ]
    assert [read(after).marks[FAMILY] for *_, after in told] == [
        *(Mark(3, NEW, 1), Mark(4, NEW, 1), Mark(4, NEW, 2), Mark(4, NEW, 3))
    ]


def test_of_what_a_group_shows_what_is_another_is_told_and_the_last_event_says_that_all_is_known():
    before, state = group(digest=OLD), group(digest=NEW, group=b'"kin"', ring=b'"new"')
    changes = Changes(groups={FAMILY: state}, before={FAMILY: before})
    one = follower(marks={FAMILY: Mark(1, OLD)})
    told = said(one.go_on(world(person(FAMILY), family=state), changes, NOW))
    assert [(name, data) for name, data, _ in told] == [("group", b'"kin"'), ("ring", b'"new"')]
    assert [read(after).marks[FAMILY].digest for *_, after in told] == [OLD, NEW]


@pytest.mark.parametrize("known", [b"longag", NOTHING])
def test_who_knows_another_state_than_the_last_one_is_told_all_of_it(known):
    before, state = group(digest=OLD), group(digest=NEW)
    changes = Changes(groups={FAMILY: state}, before={FAMILY: before})
    one = follower(marks={FAMILY: Mark(1, known)})
    assert names(one.go_on(world(person(FAMILY), family=state), changes, NOW)) == ["group", "groupMembers"]


def test_a_group_that_is_new_to_them_is_told_whole_and_none_of_its_past():
    state = group(4, caption=3)
    past = [(n, b"%d" % n) for n in range(1, 5)]
    changes = Changes(groups={FAMILY: state}, activities={FAMILY: past}, captions={FAMILY: past})
    one = follower()
    assert names(one.go_on(world(person(FAMILY), family=state), changes, NOW)) == ["group", "groupMembers"]
    assert one.marks[FAMILY] == state.mark


def test_where_only_a_ring_is_forgotten_nothing_is_told_and_all_is_known():
    before, state = group(digest=OLD, ring=b'"old"'), group(digest=NEW)
    changes = Changes(groups={FAMILY: state}, before={FAMILY: before})
    one = follower(marks={FAMILY: Mark(1, OLD)})
    assert list(one.go_on(world(person(FAMILY), family=state), changes, NOW)) == []
    assert one.marks[FAMILY] == state.mark


def test_of_themself_they_are_told_what_is_another_and_the_last_event_says_that_all_is_known():
    before = person(told={"groups": b'"none"', "accountBalance": b'"1.00"', "more": b"1"}, digest=OLD)
    bob = person(told={"groups": b'"theirs"', "accountBalance": b'"1.00"', "more": b"2"})
    one = follower(digest=OLD)
    told = said(one.go_on(world(bob), Changes(people={1: bob}, people_before={1: before}), NOW))
    assert [(name, data) for name, data, _ in told] == [("groups", b'"theirs"'), ("more", b"2")]
    assert [read(after).digest for *_, after in told] == [OLD, NEW]


def test_of_themself_they_are_told_all_where_they_know_another_state_than_the_last_one():
    before, bob = person(digest=OLD), person()
    one = follower(digest=b"longag")
    changes = Changes(people={1: bob}, people_before={1: before})
    assert names(one.go_on(world(bob), changes, NOW)) == ["groups", "accountBalance"]
    assert names(one.go_on(world(bob), changes, NOW)) == []


def test_whoever_is_touched_by_no_change_is_not_asked_about():
    one = follower(marks={FAMILY: Mark(1, NEW)})
    assert not one.is_touched_by(Changes(groups={WORK: group()}, people={2: person()}))
    assert one.is_touched_by(Changes(groups={FAMILY: group()}))
    assert one.is_touched_by(Changes(people={1: person()}))
