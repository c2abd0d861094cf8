"""What is kept stays within its bound: who was asked for longest ago goes."""

import tracemalloc

from core.shown import Shown
from voicechat.front.polls import Answer, Kept, Shelf

SHOWN = Shown(object, "list", "api/groups", 1, None, (1,), (), None)


def key(number):
    return (b"", b"h", b"", b"", b"/api/groups/%d/callStatus" % number)


def answer(size):
    return Answer("state", '"tag"', b"head", b"head", bytes(size))


def test_ten_thousand_that_are_polled_in_turn_take_no_more_than_there_is():
    shelf = Shelf(most=1_000_000)
    for number in range(10_000):
        shelf.note(key(number), SHOWN)
        shelf.add(key(number), answer(5_000), is_whole=None)
        assert shelf.get(key(0)) is not None  # each poll of it brings it forward
        assert shelf.bytes <= shelf.most
    assert 100 < len(shelf.kept) < 200
    assert shelf.bytes == sum(kept.size for kept in shelf.kept.values())
    assert (shelf.get(key(1)), shelf.get(key(9_999)) is None) == (None, False)


def test_for_a_large_one_as_many_go_as_take_its_place():
    shelf = Shelf(most=20_000)
    for number, size in enumerate([1_000] * 5 + [15_000]):
        shelf.note(key(number), SHOWN)
        shelf.add(key(number), answer(size), is_whole=None)
    assert shelf.bytes <= shelf.most
    assert shelf.get(key(5)).answers


def test_what_shows_other_rows_than_before_takes_its_answers_with_it():
    shelf = Shelf()
    shelf.note(key(1), SHOWN)
    shelf.add(key(1), answer(5), is_whole=None)
    shelf.note(key(1), SHOWN)
    assert shelf.get(key(1)).answers
    shelf.note(key(1), SHOWN._replace(people=(1,)))
    assert shelf.get(key(1)) == Kept(SHOWN._replace(people=(1,)), counted=shelf.bytes)


def test_all_is_forgotten_at_once():
    shelf = Shelf()
    shelf.note(key(1), SHOWN)
    shelf.clear()
    assert (shelf.get(key(1)), shelf.bytes) == (None, 0)


def test_it_takes_no_more_memory_than_it_counts():
    shelf = Shelf()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for number in range(1_000, 1_200):
        ids = tuple(range(1_000 * number, 1_000 * number + 100))
        shelf.note(key(number), SHOWN._replace(of=number, groups=(number,), people=ids))
        shelf.add(
            key(number), Answer(f"{number}", f'"{number}"', b"%600d" % number, b"", b"%2000d" % number), is_whole=None
        )
    taken = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert 0.7 * shelf.bytes < taken < shelf.bytes
