"""HEIC and HEIF, which iPhones take, and AVIF. No other client needs to read them: they are stored as what all can."""

import sys

import pytest
from PIL import Image

from tests.uploads.files import picture, saved
from uploads import images

KINDS = ["HEIF", "AVIF"]


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_stored_as_a_jpeg(redrawn, kind):
    image = redrawn(picture(kind, (2000, 1500), color=(200, 60, 50)))
    assert (image.format, image.size) == ("JPEG", (1024, 768))
    assert all(abs(a - b) <= 2 for a, b in zip(image.getpixel((9, 9)), (200, 60, 50), strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_transparent_is_stored_as_a_png(redrawn, kind):
    image = redrawn(picture(kind, mode="RGBA", color=(200, 60, 50, 100)))
    assert (image.format, image.getpixel((9, 9))[3]) == ("PNG", 100)


@pytest.mark.parametrize("kind", KINDS)
def test_alpha_that_hides_nothing_is_no_transparency(redrawn, kind):
    assert redrawn(picture(kind, mode="RGBA", color=(200, 60, 50, 255))).format == "JPEG"


@pytest.mark.parametrize("kind", KINDS)
def test_greys_are_stored(redrawn, kind):
    assert redrawn(picture(kind, mode="L", color=99)).getpixel((9, 9)) == (99, 99, 99)


@pytest.mark.parametrize("kind", KINDS)
def test_of_several_pictures_the_first_is_stored(redrawn, kind):
    several = [Image.new("RGB", (64, 64), colour) for colour in ("white", "black")]
    image = redrawn(saved(several[0], kind, save_all=True, append_images=several[1:]))
    assert image.getpixel((9, 9)) == (255, 255, 255)


def test_a_photo_in_tiles_is_put_together(redrawn):
    """As an iPhone writes it."""
    sent = Image.linear_gradient("L").resize((1000, 1000)).convert("RGB")
    image = redrawn(saved(sent, "HEIF", tile_size=512)).convert("L")
    assert image.size == (1000, 1000)
    assert all(abs(image.getpixel((500, y)) - sent.getpixel((500, y))[0]) <= 4 for y in range(0, 1000, 90))


def test_ten_bits_are_shown_as_eight(redrawn):
    sent = Image.new("I;16", (64, 64), 0x8000)
    assert abs(redrawn(saved(sent, "HEIF")).getpixel((9, 9))[0] - 128) <= 2


@pytest.mark.parametrize(("given", "brand"), [("HEIF", b"mif1"), ("HEIF", b"heix"), ("AVIF", b"mif1")])
def test_another_brand_in_front_is_read_too(redrawn, given, brand):
    content = picture(given)
    assert redrawn(content[:8] + brand + content[12:]).size == (40, 30)


@pytest.fixture
def without_pillow_heif(monkeypatch):
    script = (
        "import runpy, sys; sys.modules['pillow_heif'] = None; runpy.run_module('uploads.pictures', None, '__main__')"
    )
    monkeypatch.setattr(images, "COMMAND", (sys.executable, "-c", script))


def test_without_its_library_a_sentence_says_how_to_send_a_jpeg(without_pillow_heif, upload):
    answer = upload(picture("HEIF"))
    assert (answer.status_code, answer.json()["code"]) == (415, "not_an_image")
    assert "cannot read HEIC. Send the photo as a JPEG: on an iPhone, choose" in answer.json()["detail"]


@pytest.mark.parametrize("kind", ["AVIF", "JPEG", "PNG", "WEBP", "GIF"])
def test_without_its_library_all_others_are_read(without_pillow_heif, redrawn, kind):
    assert redrawn(picture(kind)).size == (40, 30)


def test_pillows_own_decoder_of_webp_does_where_its_library_is_hidden(monkeypatch, redrawn):
    script = (
        "import runpy; from uploads.pictures import libwebp; libwebp.library = lambda: None; "
        "runpy.run_module('uploads.pictures', None, '__main__')"
    )
    monkeypatch.setattr(images, "COMMAND", (sys.executable, "-c", script))
    assert redrawn(picture("WEBP", (2000, 1000))).size == (1024, 512)
