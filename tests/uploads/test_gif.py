"""A GIF keeps its colours: it has no more than 256 of them."""

import struct

import pytest
from PIL import Image

from tests.uploads.files import saved

RAMP = Image.frombytes("L", (256, 4), bytes(range(256)) * 4)


def photo():
    return Image.merge("RGB", [Image.effect_noise((64, 64), 90) for _ in range(3)]).quantize(256)


def colours(image):
    return {colour for _, colour in image.getcolors(1 << 24)}


def test_256_greys_stay_256(redrawn):
    image = redrawn(saved(RAMP, "GIF"))
    assert (image.format, image.convert("L").tobytes()) == ("GIF", RAMP.tobytes())


def test_greys_that_are_scaled_stay_as_many(redrawn):
    image = redrawn(saved(RAMP.resize((2048, 32)), "GIF"))
    assert (image.size, len(colours(image.convert("L")))) == ((1024, 16), 256)


def test_a_photo_keeps_its_palette(redrawn):
    sent = photo()
    assert redrawn(saved(sent, "GIF")).convert("RGB").tobytes() == sent.convert("RGB").tobytes()


def test_a_photo_that_is_scaled_has_about_256_colours(redrawn):
    sent = Image.merge("RGB", [RAMP.resize((1100, 60)), RAMP.resize((1100, 60)).transpose(0), RAMP.resize((1100, 60))])
    assert len(colours(redrawn(saved(sent.quantize(256), "GIF")).convert("RGB"))) > 200


@pytest.mark.parametrize("sent", [photo(), RAMP.copy()], ids=["colours", "greys"])
def test_one_of_256_colours_may_be_transparent(redrawn, sent):
    sent.info["transparency"] = 3
    image = redrawn(saved(sent, "GIF", transparency=3))
    assert image.convert("RGBA").tobytes() == sent.convert("RGBA").tobytes()


def test_what_is_transparent_stays_so_when_it_is_scaled(redrawn):
    sent = Image.new("RGBA", (2000, 1000))
    sent.paste((200, 60, 50, 255), (0, 0, 1000, 1000))
    image = redrawn(saved(sent, "GIF")).convert("RGBA")
    assert [image.getpixel((x, 5)) for x in (5, 1000)] == [(200, 60, 50, 255), (0, 0, 0, 0)]


def test_the_first_frames_own_palette_counts(redrawn):
    several = [Image.new("P", (8, 8), number) for number in range(3)]
    for number, each in enumerate(several):
        each.putpalette([9 * number, 200, 3] * 256)
    image = redrawn(saved(several[0], "GIF", save_all=True, append_images=several[1:]))
    assert image.convert("RGB").getpixel((0, 0)) == (0, 200, 3)


@pytest.mark.parametrize("scale", [1, 700])
def test_around_a_frame_that_is_smaller_than_its_canvas_nothing_is_seen(redrawn, scale):
    """As in a browser; Pillow shows the background's colour."""
    frame = saved(Image.new("P", (scale, scale)), "GIF")
    screen = struct.pack("<2H", 3 * scale, 3 * scale)
    place = frame.index(b",", 13)
    content = frame[:6] + screen + frame[10 : place + 1] + struct.pack("<2H", scale, scale) + frame[place + 5 :]
    image = redrawn(content).convert("RGBA")
    seen = [[image.getpixel((x * image.width // 6, y * image.height // 6))[3] for x in (1, 3, 5)] for y in (1, 3, 5)]
    assert seen == [[0, 0, 0], [0, 255, 0], [0, 0, 0]]


@pytest.mark.parametrize(("left", "top", "size"), [(4, 0, (14, 10)), (0, 4, (10, 14)), (4, 4, (14, 14))])
def test_a_frame_that_stands_out_over_its_canvas_is_seen_whole(redrawn, left, top, size):
    frame = saved(Image.new("P", (10, 10)), "GIF")
    place = frame.index(b",", 13)
    image = redrawn(frame[: place + 1] + struct.pack("<2H", left, top) + frame[place + 5 :])
    assert (image.size, image.convert("RGBA").getchannel("A").getbbox()) == (size, (left, top, *size))


def test_a_tiny_frame_on_a_large_canvas_does_not_vanish(redrawn):
    frame = saved(Image.new("P", (1, 1)), "GIF")
    image = redrawn(frame[:6] + struct.pack("<2H", 5000, 5000) + frame[10:])
    assert (image.size, image.convert("RGBA").getchannel("A").getbbox()) == ((1024, 1024), (0, 0, 1, 1))
