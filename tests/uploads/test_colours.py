"""A stored picture shows in sRGB what a browser showed of the one that was sent. The numbers are worked out by hand."""

import struct
import zlib

import pytest
from PIL import Image

from tests.uploads.files import (
    ADOBE,
    GAMMA_2_2,
    P3,
    SRGB_CURVE,
    chunk,
    cmyk_profile,
    grey_profile,
    picture,
    png,
    rgb_profile,
    saved,
    segment,
)

SENT, IN_P3 = (200, 60, 50), (220, 37, 33)
LOSSLESS = {"WEBP": {"lossless": True}, "AVIF": {"quality": 100, "subsampling": "4:4:4"}}


def is_near(image, colour, within=2):
    shown = image.convert("RGB").getpixel((0, 0))
    return all(abs(a - b) <= within for a, b in zip(shown, colour, strict=True)), shown


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF", "HEIF"])
def test_display_p3_is_converted(redrawn, kind):
    image = redrawn(picture(kind, color=SENT, icc_profile=rgb_profile(), **LOSSLESS.get(kind, {})))
    near, shown = is_near(image, IN_P3)
    assert near, shown
    assert "icc_profile" not in image.info


PROFILES = {
    "Adobe RGB": (picture(color=(180, 90, 60), icc_profile=rgb_profile(ADOBE, GAMMA_2_2)), (205, 90, 56)),
    "P3 as Apple has it": (picture(color=SENT, icc_profile=rgb_profile(P3, SRGB_CURVE)), (217, 42, 39)),
    "a palette": (saved(Image.new("RGB", (4, 4), SENT).quantize(4), icc_profile=rgb_profile()), IN_P3),
    "greys as bright as light": (picture(mode="L", color=128, icc_profile=grey_profile()), (188, 188, 188)),
    "greys with a profile of colours": (
        picture("JPEG", mode="L", color=128, icc_profile=rgb_profile()),
        (128, 128, 128),
    ),
    "inks": (picture("JPEG", mode="CMYK", color=(99, 99, 99, 99), icc_profile=cmyk_profile()), (213, 60, 55)),
    "a PNG's number of P3": (png(chunk(b"cICP", bytes([12, 13, 0, 1]))), (217, 42, 39)),
    "a PNG's number of BT.2020": (png(chunk(b"cICP", bytes([9, 1, 0, 1]))), (247, 0, 39)),
    "a PNG of sRGB with another gamma beside": (
        png(chunk(b"sRGB", b"\0"), chunk(b"gAMA", struct.pack(">I", 100_000))),
        (200, 60, 50),
    ),
    "a PNG's gamma": (png(chunk(b"gAMA", struct.pack(">I", 100_000))), (229, 133, 122)),
    "a PNG's lights": (
        png(
            chunk(b"gAMA", struct.pack(">I", 45_455)),
            chunk(b"cHRM", struct.pack(">8I", 31_270, 32_900, 68_000, 32_000, 26_500, 69_000, 15_000, 6_000)),
        ),
        (217, 42, 39),
    ),
}


@pytest.mark.parametrize("name", PROFILES)
def test_it_looks_as_its_profile_says(redrawn, name):
    content, colour = PROFILES[name]
    near, shown = is_near(redrawn(content), colour)
    assert near, shown


def test_transparency_is_kept(redrawn):
    image = redrawn(picture(mode="RGBA", color=(*SENT, 100), icc_profile=rgb_profile()))
    assert is_near(image, IN_P3)[0]
    assert image.getpixel((0, 0))[3] == 100


def numbered(primaries):
    """What libavif and libheif write of sRGB, with the number of other lights."""
    return lambda content: content.replace(b"colrnclx\0\1", b"colrnclx" + bytes([0, primaries]))


@pytest.mark.parametrize("kind", ["AVIF", "HEIF"])
def test_colours_that_only_have_a_number_are_converted(redrawn, kind):
    content = picture(kind, color=SENT, **LOSSLESS.get(kind, {}))
    assert b"colrnclx\0\1" in content
    near, shown = is_near(redrawn(numbered(12)(content)), (217, 42, 39))
    assert near, shown


@pytest.mark.parametrize("transfer", range(1, 19))
def test_lights_that_a_png_numbers_count_where_they_are_as_bright_as_srgb(redrawn, transfer):
    """https://www.itu.int/rec/T-REC-H.273, table 3"""
    shown = (217, 42, 39) if transfer in (1, 2, 6, 13, 14, 15) else SENT
    near, seen = is_near(redrawn(png(chunk(b"cICP", bytes([12, transfer, 0, 1])))), shown)
    assert near, seen


def jpeg(*segments):
    plain = picture("JPEG", color=SENT)
    return plain[:2] + b"".join(segment(0xE2, b"ICC_PROFILE\0" + each) for each in segments) + plain[2:]


BROKEN = {
    "nonsense": picture(color=SENT, icc_profile=b"nonsense"),
    "cut off": picture(color=SENT, icc_profile=rgb_profile()[:200]),
    "empty": png(chunk(b"iCCP", b"")),
    "not packed": png(chunk(b"iCCP", b"a\0\0nonsense")),
    "larger than any": png(chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(2**23)))),
    "of inks": png(chunk(b"iCCP", b"a\0\0" + zlib.compress(cmyk_profile()))),
    "a part is missing": jpeg(b"\1\2" + rgb_profile()[:99]),
    "numbered wrongly": jpeg(b"\0\1" + rgb_profile()),
    "no numbers": jpeg(b""),
    "lights on one line": png(
        chunk(b"gAMA", struct.pack(">I", 45_455)), chunk(b"cHRM", struct.pack(">8I", *[30_000] * 8))
    ),
    "no lights": png(chunk(b"gAMA", struct.pack(">I", 45_455)), chunk(b"cHRM", bytes(32))),
    "a number that stands for nothing": png(chunk(b"cICP", bytes([99, 13, 0, 1]))),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_profile_is_none(redrawn, name):
    near, shown = is_near(redrawn(BROKEN[name]), SENT)
    assert near, shown


def test_a_jpegs_profile_is_put_together_from_its_parts(redrawn):
    whole = rgb_profile()
    near, shown = is_near(redrawn(jpeg(b"\2\2" + whole[200:], b"\1\2" + whole[:200])), IN_P3)
    assert near, shown
