"""The one grey or colour that a PNG says is transparent."""

import struct

import pytest

from tests.uploads.files import chunk, picture, png, riff


def alphas(image):
    return list(image.convert("RGBA").getchannel("A").tobytes())


def test_sixteen_bits_of_grey_keep_their_transparency(redrawn):
    """By both bytes: a grey that is shown alike is not transparent."""
    levels = struct.pack(">B4H", 0, 0, 0x1234, 0x1235, 0xFFFF)
    image = redrawn(png(chunk(b"tRNS", b"\x12\x34"), size=(4, 1), depth=16, colour=0, pixels=levels))
    assert alphas(image) == [255, 0, 255, 255]
    assert [image.getpixel((x, 0))[0] for x in range(4)] == [0, 18, 18, 255]


GREYS = {1: (b"\0\x40", 2), 2: (b"\0\x1b", 4), 4: (b"\0\x01\x23", 4), 8: (b"\0\0\1\2\3", 4)}
"""The levels 0, 1, … by how many bits each has."""


@pytest.mark.parametrize("depth", GREYS)
def test_greys_of_few_bits_keep_their_transparency(redrawn, depth):
    pixels, width = GREYS[depth]
    image = redrawn(png(chunk(b"tRNS", b"\0\1"), size=(width, 1), depth=depth, colour=0, pixels=pixels))
    assert alphas(image) == [255, 0, 255, 255][:width]


@pytest.mark.parametrize(("depth", "factor"), [(8, 1), (16, 256)])
def test_a_colour_keeps_its_transparency(redrawn, depth, factor):
    key = struct.pack(">3H", *(level * factor for level in (200, 60, 50)))
    pixels = b"\0" + (
        bytes([200, 60, 50, 200, 60, 51]) if depth == 8 else key + struct.pack(">3H", 51_200, 15_360, 13_056)
    )
    image = redrawn(png(chunk(b"tRNS", key), size=(2, 1), depth=depth, pixels=pixels))
    assert alphas(image) == [0, 255]


@pytest.mark.parametrize("listed", [b"\x80", b"\x80\xff", b"\x80\xff\x01\x02"])
def test_a_palette_keeps_its_transparency(redrawn, listed):
    palette = chunk(b"PLTE", bytes(6)), chunk(b"tRNS", listed)
    assert alphas(redrawn(png(*palette, size=(2, 1), colour=3, pixels=b"\0\0\1"))) == [128, 255]


def test_a_grey_with_alpha_keeps_it(redrawn):
    image = redrawn(png(size=(2, 1), depth=8, colour=4, pixels=struct.pack(">5B", 0, 9, 255, 9, 128)))
    assert alphas(image) == [255, 128]


def test_a_grey_with_alpha_of_sixteen_bits_keeps_it(redrawn):
    image = redrawn(png(size=(2, 1), depth=16, colour=4, pixels=struct.pack(">B4H", 0, 9, 65_535, 9, 0x8000)))
    assert alphas(image) == [255, 128]


def test_what_is_half_transparent_is_not_darkened_by_its_neighbours(redrawn):
    """Black that nobody sees does not bleed into what is scaled."""
    image = redrawn(picture(size=(2100, 2100), mode="RGBA", color=(200, 60, 50, 128)))
    assert image.size == (1024, 1024)
    assert all(abs(a - b) <= 1 for a, b in zip(image.getpixel((500, 500)), (200, 60, 50, 128), strict=True))


def test_an_animation_whose_first_frame_is_smaller_than_its_canvas_shows_it_where_it_stands(redrawn):
    """WebP writes its place in halves. https://developers.google.com/speed/webp/docs/riff_container#animation"""
    pixels = picture("WEBP", (20, 10), color=(200, 60, 50), lossless=True)[12:]
    numbers = [10 // 2, 8 // 2, 20 - 1, 10 - 1, 100]
    frame = b"".join(number.to_bytes(3, "little") for number in numbers) + b"\0" + pixels
    canvas = b"\x12\0\0\0" + b"".join((number - 1).to_bytes(3, "little") for number in (40, 30))
    image = redrawn(riff((b"VP8X", canvas), (b"ANIM", bytes(6)), (b"ANMF", frame)))
    assert image.convert("RGBA").getchannel("A").getbbox() == (10, 8, 30, 18)
