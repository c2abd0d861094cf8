"""What is not pixels is not needed: no fault in it costs the picture."""

import struct
import zlib

import pytest
from PIL import Image

from tests.uploads.files import chunk, exif, picture, png, riff, saved, segment, with_segment

CHUNKS = {
    "a wrong checksum": chunk(b"gAMA", b"\0\0\xb1\x8f", checksum=1),
    "a short one": chunk(b"gAMA", b"\1"),
    "an empty one": chunk(b"pHYs", b""),
    "unreadable EXIF": chunk(b"eXIf", b"nonsense"),
    "EXIF that leads out of it": chunk(b"eXIf", b"MM\0*\xff\xff\xff\xff\0\0"),
    "a text that cannot be unpacked": chunk(b"zTXt", b"a\0\0nonsense"),
    "a text of 8 MiB": chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(2**23))),
    "an animation without frames": chunk(b"acTL", b"\0"),
    "a frame that is too short": chunk(b"fcTL", b"\0"),
    "a short transparency": chunk(b"tRNS", b"\0"),
    "a transparency with a wrong checksum": chunk(b"tRNS", struct.pack(">3H", 200, 60, 50), checksum=1),
    "lights that are too few": chunk(b"cHRM", b"\0\0\0\0"),
    "a name of no letters": chunk(b"\0\1\2\3", b""),
    "a time that is none": chunk(b"tIME", b"yesterday"),
}


@pytest.mark.parametrize("name", CHUNKS)
@pytest.mark.parametrize("place", ["before", "behind"])
def test_a_png_needs_none_of_its_other_chunks(redrawn, name, place):
    content = png(CHUNKS[name]) if place == "before" else png(behind=CHUNKS[name])
    assert redrawn(content).convert("RGBA").getpixel((0, 0)) == (200, 60, 50, 255)


def test_a_png_needs_no_end(redrawn):
    assert redrawn(png()[:-12]).getpixel((0, 0)) == (200, 60, 50)


SEGMENTS = {
    "unreadable EXIF": (0xE1, b"Exif\0\0nonsense"),
    "EXIF that leads out of it": (0xE1, b"Exif\0\0MM\0*\xff\xff\xff\xff\0\0"),
    "a short JFIF": (0xE0, b"JFIF\0"),
    "a short word on colours": (0xEE, b"Adobe"),
    "a list of pictures that is none": (0xE2, b"MPF\0nonsense"),
    "a short block of Photoshop's": (0xED, b"Photoshop 3.0\x008BIM\4"),
    "a comment of no letters": (0xFE, b"\0\xff"),
}


@pytest.mark.parametrize("name", SEGMENTS)
def test_a_jpeg_needs_none_of_its_other_segments(redrawn, name):
    image = redrawn(with_segment(picture("JPEG", color="blue"), *SEGMENTS[name]))
    assert (image.size, image.getpixel((0, 0))) == ((40, 30), (0, 0, 254))


def gif(*extensions):
    """A white pixel behind them."""
    screen = b"GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff"
    return screen + b"".join(extensions) + b",\0\0\0\0\1\0\1\0\0\2\2\x4c\1\0;"


EXTENSIONS = {
    "a comment": b"!\xfe\2hi\0",
    "an empty comment": b"!\xfe\0",
    "a comment without its end": b"!\xfe\2hi",
    "a comment that claims more than it has": b"!\xfe\xffhi\0",
    "a short control": b"!\xf9\1\0\0",
    "an application cut off": b"!\xff\x0bNETSC",
    "an unknown extension": b"!\x77\1\0\0",
    "bytes in between": b"\0\0\7",
}


@pytest.mark.parametrize("name", EXTENSIONS)
def test_a_gif_needs_none_of_its_extensions(redrawn, name):
    assert redrawn(gif(EXTENSIONS[name])).convert("RGB").getpixel((0, 0)) == (255, 255, 255)


def webp(*behind, color=(200, 60, 50)):
    """With a header that announces EXIF and XMP."""
    header = b"\x0c\0\0\0" + (39).to_bytes(3, "little") + (29).to_bytes(3, "little")
    pixels = picture("WEBP", color=color, lossless=True)[12:]
    return riff((b"VP8X", header), (pixels[:4], pixels[8 : 8 + int.from_bytes(pixels[4:8], "little")]), *behind)


@pytest.mark.parametrize("content", [b"nonsense", b"", b"Exif\0\0II*\0\xff\xff\xff\xff", b"II*\0\x08\0\0\0\xff\xff"])
def test_a_webp_needs_no_readable_exif(redrawn, content):
    assert redrawn(webp((b"EXIF", content), (b"XMP ", b"\xff"))).size == (40, 30)


def test_a_webp_may_end_inside_its_exif(redrawn):
    assert redrawn(webp((b"EXIF", exif(1)))[:-5]).size == (40, 30)


@pytest.mark.parametrize("kind", ["AVIF", "HEIF"])
def test_a_heif_needs_no_readable_exif(redrawn, kind):
    written = Image.Exif()
    written[0x010E] = "a description"
    content = picture(kind, exif=written)
    end = content.index(b"a description")
    start = max(content.rfind(order, 0, end) for order in (b"II*\0", b"MM\0*"))
    assert redrawn(content[:start] + b"\xff" * (end - start) + content[end:]).size == (40, 30)


TURNED = {
    "PNG": lambda content: png(chunk(b"eXIf", content), size=(2, 1), pixels=bytes(7)),
    "PNG, behind the pixels": lambda content: png(behind=chunk(b"eXIf", content), size=(2, 1), pixels=bytes(7)),
    "JPEG": lambda content: with_segment(picture("JPEG", (2, 1)), 0xE1, b"Exif\0\0" + content),
    "WebP": lambda content: webp((b"EXIF", content)),
    "WebP with JPEG's prefix": lambda content: webp((b"EXIF", b"Exif\0\0" + content)),
}


@pytest.mark.parametrize("name", TURNED)
@pytest.mark.parametrize("order", ["<", ">"])
def test_it_stands_upright_where_only_that_can_be_read(redrawn, name, order):
    broken = exif(6, order=order, count=99, others=b"nonsense")
    width, height = redrawn(TURNED[name](broken)).size
    assert width < height


@pytest.mark.parametrize("kind", ["AVIF", "HEIF"])
def test_a_heif_stands_upright(redrawn, kind):
    written = Image.Exif()
    written[0x0112] = 6
    assert redrawn(picture(kind, exif=written)).size == (30, 40)


CORNERS = {1: "abcd", 2: "badc", 3: "dcba", 4: "cdab", 5: "acbd", 6: "cadb", 7: "dbca", 8: "bdac"}
"""Where the corners a b (above), c d (below) are to be seen. https://jdhao.github.io/2019/07/31/image_rotation_exif_info/"""


@pytest.mark.parametrize("orientation", CORNERS)
def test_every_orientation_is_honoured(redrawn, orientation):
    rows = b"\0" + bytes([10, 20]) + b"\0" + bytes([30, 40])
    content = png(chunk(b"eXIf", exif(orientation)), size=(2, 2), colour=0, pixels=rows)
    shown = redrawn(content).convert("L").tobytes()
    assert "".join("abcd"[level // 10 - 1] for level in shown) == CORNERS[orientation]


@pytest.mark.parametrize("kind", ["AVIF", "HEIF"])
@pytest.mark.parametrize("orientation", CORNERS)
def test_a_heif_is_turned_and_mirrored_once_as_its_container_says_and_a_heics_exif_too(redrawn, kind, orientation):
    sent, written = Image.new("L", (2, 2)), Image.Exif()
    sent.putdata([50, 100, 150, 200])
    written[0x0112] = orientation
    content = saved(sent.resize((64, 64), Image.Resampling.NEAREST), kind, exif=written.tobytes())
    assert kind == "AVIF" or written.tobytes() in content
    image = redrawn(content).convert("L")
    shown = [round(image.getpixel(place) / 50) for place in ((16, 16), (48, 16), (16, 48), (48, 48))]
    assert "".join("abcd"[level - 1] for level in shown) == CORNERS[orientation]


@pytest.mark.parametrize("orientation", [0, 9, 65_535])
def test_an_orientation_that_is_none_turns_nothing(redrawn, orientation):
    assert redrawn(TURNED["PNG"](exif(orientation))).size == (2, 1)


DAMAGED = {
    "a PNG whose pixels are cut off": picture(size=(200, 200))[:-60],
    "a PNG whose pixels are wrong": png(pixels=b"\0\xc8\x3c\x32").replace(b"IDAT\x78", b"IDAT\x79"),
    "a PNG without its palette": png(colour=3, pixels=b"\0\0"),
    "a PNG whose palette is wrong": png(chunk(b"PLTE", b"\0\0\0", checksum=1), colour=3, pixels=b"\0\0"),
    "a JPEG cut off": picture("JPEG", (200, 200))[:-60],
    "a JPEG of two frames": picture("JPEG")[:2] + segment(0xC0, b"\x08\0\1\0\1\1\1\x11\0") + picture("JPEG")[2:],
    "a GIF cut off": saved(Image.effect_noise((60, 60), 90), "GIF")[:-60],
    "an AVIF cut off": picture("AVIF")[:-9],
    "a HEIC cut off": picture("HEIF")[:-9],
}


@pytest.mark.parametrize("name", DAMAGED)
def test_pixels_that_cannot_be_decoded_are_damage(upload, name):
    answer = upload(DAMAGED[name])
    assert (answer.status_code, answer.json()["code"]) == (400, "broken_image")


@pytest.mark.parametrize(("first", "second"), [(exif(1), exif(6)), (b"nonsense", exif(6)), (exif(6), exif(1))])
def test_of_several_exif_blocks_the_one_that_turns_the_photo_counts(redrawn, first, second):
    plain = picture("JPEG")
    blocks = b"".join(segment(0xE1, b"Exif\0\0" + each) for each in (first, second))
    assert redrawn(plain[:2] + blocks + plain[2:]).size == (30, 40)


def test_of_a_chunk_that_comes_twice_the_first_counts(redrawn):
    red, blue = (chunk(b"PLTE", bytes(colour) * 2) for colour in ((200, 0, 0), (0, 0, 200)))
    image = redrawn(png(red, blue, colour=3, pixels=b"\0\0"))
    assert image.convert("RGB").getpixel((0, 0)) == (200, 0, 0)


@pytest.mark.parametrize("is_lossless", [False, True])
def test_a_webp_whose_pixels_break_off_is_refused_and_not_half_shown(upload, is_lossless):
    noise = Image.effect_noise((40, 30), 90).convert("RGB")
    whole = saved(noise, "WEBP", lossless=is_lossless)
    name, pixels = whole[12:16], whole[20:]
    for kept in (12, len(pixels) // 2):
        assert upload(riff((name, pixels[:kept]))).status_code == 400
