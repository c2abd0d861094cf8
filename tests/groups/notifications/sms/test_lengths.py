"""A message is as long as the networks count it, and never longer than five segments."""

import pytest

from groups.notifications.sms.lengths import MOST_SEGMENTS, segments, shortened


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        ("", 1),
        ("x" * 160, 1),
        ("x" * 161, 2),
        ("x" * 306, 2),
        ("x" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("ż" * 70, 1),
        ("ż" * 71, 2),
        ("x" * 69 + "ż", 1),
        ("👋" * 35, 1),
        ("👋" * 36, 2),
        ("Größe à la carte\n" * 9, 1),
    ],
)
def test_segments_are_counted_as_networks_do(text, counted):
    assert segments(text) == counted


@pytest.mark.parametrize("letter", ["x", "€", "ż", "👋", "👨‍👩‍👧"])
@pytest.mark.parametrize("length", [1, 70, 335, 336, 765, 766, 10_000])
def test_what_is_too_long_is_cut_at_its_end(letter, length):
    text = letter * length
    cut = shortened(text)
    assert segments(cut) <= MOST_SEGMENTS
    assert cut == text if segments(text) <= MOST_SEGMENTS else cut.endswith("...")
    assert text.startswith(cut.removesuffix("..."))
    cut.encode()  # no half of a letter
