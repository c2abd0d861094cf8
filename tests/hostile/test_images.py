"""Files that mean harm. What is stored is a fresh image of one frame, with nothing of the file but its pixels."""

import re
import struct
import zlib
from base64 import b64encode
from io import BytesIO
from zipfile import ZipFile

import pytest
from PIL import Image, ImageCms, PngImagePlugin

from tests.hostile.server import is_problem
from tests.uploads.files import chunk, picture

PATH = "/api/upload"
EVIL = b"<script>alert('evil')</script>"
NAME = re.compile(r"[0-9a-f]{32}\.(jpg|png|webp|gif)")
KEPT = {"jfif", "jfif_version", "jfif_unit", "jfif_density", "version", "background", "transparency"}
KEPT |= {"duration", "loop", "timestamp"}
"""What Pillow tells of an image that it wrote itself from bare pixels."""


def frames(kind, count):
    several = [Image.new("L", (16, 16), number % 256) for number in range(count)]
    written = BytesIO()
    several[0].save(written, format=kind, save_all=True, append_images=several[1:])
    return written.getvalue()


def gif(screen, frame, count=1):
    """A GIF of `count` frames, as small as they can be written."""
    one = b"\x2c" + struct.pack("<4HB", 0, 0, *frame, 0) + b"\x02\x02\x44\x01\x00"
    head = b"GIF89a" + struct.pack("<2H3B", *screen, 0x80, 0, 0) + b"\x00\x00\x00\xff\xff\xff"
    return head + one * count + b"\x3b"


def with_chunk(kind, content):
    plain = picture()
    return plain[:33] + chunk(kind, content) + plain[33:]  # after the header


def zipped():
    written = BytesIO()
    with ZipFile(written, "w") as archive:
        archive.writestr("evil.js", EVIL)
    return written.getvalue()


def gps():
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 29: EVIL.decode()})
    exif[0x010E] = EVIL.decode()
    return exif


def texts():
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", EVIL.decode())
    info.add_itxt("XML:com.adobe.xmp", EVIL.decode())
    return info


def profile():
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes() + EVIL


WRITTEN_ANEW = {
    "JPEG with a page behind": (picture("JPEG") + b"<html>" + EVIL, "JPEG"),
    "GIF with a script behind": (picture("GIF") + b"=1;" + EVIL, "GIF"),
    "GIF that is a script": (picture("GIF", comment=b"*/=1;" + EVIL), "GIF"),
    "PNG with an archive behind": (picture() + zipped(), "PNG"),
    "WebP with a page behind": (picture("WEBP") + EVIL, "WEBP"),
    "PNG with an unknown chunk": (with_chunk(b"evIl", EVIL), "PNG"),
    "PNG with texts and XMP": (picture(pnginfo=texts()), "PNG"),
    "JPEG with a comment": (picture("JPEG", comment=EVIL), "JPEG"),
    "JPEG with XMP": (picture("JPEG", xmp=EVIL), "JPEG"),
    "WebP with XMP": (picture("WEBP", xmp=EVIL), "WEBP"),
    **{f"{kind} with GPS": (picture(kind, exif=gps()), kind) for kind in ("JPEG", "PNG", "WEBP")},
    **{f"{kind} with a profile": (picture(kind, icc_profile=profile()), kind) for kind in ("JPEG", "PNG", "WEBP")},
    "PNG with a text chunk of 8 MiB": (with_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(2**23))), "PNG"),
    "PNG with a profile of 8 MiB": (with_chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(2**23))), "PNG"),
    **{f"{kind} with GPS": (picture(kind, exif=gps()), "JPEG") for kind in ("AVIF", "HEIF")},
    **{f"{kind} with a profile": (picture(kind, icc_profile=profile()), "JPEG") for kind in ("AVIF", "HEIF")},
    "AVIF with a page behind": (picture("AVIF") + EVIL, "JPEG"),
    "10,000 frames of a GIF": (gif((1, 1), (1, 1), 10_000), "GIF"),
    "1,000 frames of a WebP": (frames("WEBP", 1_000), "WEBP"),
    "100 frames of a PNG": (frames("PNG", 100), "PNG"),
    "100 frames of an AVIF": (frames("AVIF", 100), "JPEG"),
    "20 pictures in a HEIF": (frames("HEIF", 20), "JPEG"),
    "16 bits of colour": (picture(mode="I;16"), "PNG"),
    "CMYK with a profile": (picture("JPEG", mode="CMYK", icc_profile=profile()), "JPEG"),
    "a palette that is transparent": (picture(mode="P", transparency=bytes(range(256))), "PNG"),
    "a transparent GIF": (picture("GIF", mode="P", transparency=1), "GIF"),
    **{f"1 pixel of {kind}": (picture(kind, (1, 1)), kind) for kind in ("JPEG", "PNG", "WEBP", "GIF")},
    "one row": (picture(size=(25_000, 1)), "PNG"),
    "one column": (picture("JPEG", (1, 60_000)), "JPEG"),
}


def claiming(width, height):
    """A PNG of that size, by its header."""
    return picture()[:8] + chunk(b"IHDR", struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)) + picture()[33:]


def huge_jpeg():
    """65,535 pixels wide and high, by its header."""
    plain = picture("JPEG")
    size = plain.index(b"\xff\xc0") + 5
    return plain[:size] + b"\xff\xff\xff\xff" + plain[size + 4 :]


def claiming_heif(kind, width, height):
    """By its `ispe`, the property that says how large a picture is; its pixels are as they were."""
    plain = picture(kind, (64, 64))
    place = plain.index(b"ispe") + 8
    return plain[:place] + struct.pack(">2I", width, height) + plain[place + 8 :]


REFUSED = {
    "26 megapixels": (picture(size=(26_000, 1_000), mode="1"), 413),
    "a PNG that claims 144 megapixels": (claiming(12_000, 12_000), 413),
    "a PNG that claims 4 exapixels": (claiming(2**31 - 1, 2**31 - 1), 413),
    "a JPEG that claims 4,295 megapixels": (huge_jpeg(), 413),
    "a GIF that claims 4,295 megapixels": (gif((65_535, 65_535), (1, 1)), 413),
    "a GIF whose frame is larger than itself": (gif((1, 1), (65_535, 65_535)), 413),
    "an AVIF that claims 26 megapixels": (claiming_heif("AVIF", 26_000, 1_000), 413),
    "a HEIF that claims 26 megapixels": (claiming_heif("HEIF", 26_000, 1_000), 413),
    "a HEIF that claims 4,295 megapixels": (claiming_heif("HEIF", 65_535, 65_535), 413, 415),
    "an AVIF that claims 4,295 megapixels": (claiming_heif("AVIF", 65_535, 65_535), 413, 415),
    "a HEIF of a brand alone": (b"\0\0\0\x14ftypheic" + bytes(8), 415),
    "a PNG without its end": (picture(size=(200, 200))[:-60], 400),
    "a JPEG without its end": (picture("JPEG", (200, 200))[:-60], 400),
    "a WebP without its end": (picture("WEBP", (200, 200))[:-20], 415),
    "a PNG whose sum is wrong": (picture()[:29] + b"0000" + picture()[33:], 415),
    "no pixel": (claiming(0, 0), 415),
    "no byte": (b"", 415),
    "a page": (b"<!DOCTYPE html><html>" + EVIL, 415),
    "a picture behind a page": (EVIL + picture(), 415),
    "a picture behind a PDF": (b"%PDF-1.7\n" + picture("JPEG"), 415),
    "a program for PostScript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(%pipe%id) (r) file\n", 415),
    "SVG with an entity": (b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><svg>&b;</svg>', 415),
    **{f"a {kind}": (picture(kind), 415) for kind in ("ICO", "PPM", "TGA", "PCX", "JPEG2000", "PDF", "EPS")},
}


@pytest.fixture(autouse=True)
def _media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def send(api, db):
    """Posts a body as it is."""

    def send(body, content_type="multipart/form-data; boundary=b"):
        return api.generic("POST", PATH, body, content_type=content_type)

    return send


def part(content, disposition='name="image"; filename="a.png"', headers="Content-Type: image/png"):
    return f"--b\r\nContent-Disposition: form-data; {disposition}\r\n{headers}\r\n\r\n".encode() + content + b"\r\n"


END = b"--b--\r\n"


def assert_fresh(answer, folder, kind):
    """One file, under a name of ours, of one frame, without anything that the sent file carried along."""
    assert answer.status_code == 200, answer.content
    (file,) = folder.iterdir()
    assert NAME.fullmatch(file.name)
    assert answer.json()["image"].endswith(f"/media/{file.name}")
    assert EVIL not in file.read_bytes()
    image = Image.open(BytesIO(file.read_bytes()))
    assert (image.format, getattr(image, "n_frames", 1)) == (kind, 1)
    assert not image.getexif()
    image.load()
    assert set(image.info) <= KEPT


def assert_refused(answer, folder, *statuses):
    assert answer.status_code in statuses, answer.content
    assert is_problem(answer)
    assert not list(folder.iterdir())


@pytest.mark.parametrize("name", WRITTEN_ANEW)
def test_nothing_but_the_pixels_is_stored(send, tmp_path, name):
    content, kind = WRITTEN_ANEW[name]
    assert_fresh(send(part(content) + END), tmp_path, kind)


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_and_nothing_is_stored(send, tmp_path, name):
    content, *statuses = REFUSED[name]
    assert_refused(send(part(content) + END), tmp_path, *statuses)


DISPOSITIONS = {
    "a way up": 'name="image"; filename="../../../evil.png"',
    "a path": 'name="image"; filename="/etc/cron.d/evil"',
    "a path of Windows": r'name="image"; filename="C:\\evil\\evil.exe"',
    "NUL in the name": 'name="image"; filename="a\0.png"',
    "a right-to-left override": 'name="image"; filename="a\u202egnp.exe"',
    "300 characters": f'name="image"; filename="{"a" * 300}.png"',
    "a text's name": 'name="image"; filename="a.txt"',
    "a page's name": 'name="image"; filename="a.html"',
    "an encoded name": "name=\"image\"; filename*=UTF-8''..%2f..%2f%00evil.html",
    "two names": 'name="image"; filename="a.png"; filename="b.html"',
    "an unknown encoding": "name=\"image\"; filename*=nonsense''a.png",
    "only dots": 'name="image"; filename=".."',
    "a folder": 'name="image"; filename="photos/"',
    "a folder of Windows": r'name="image"; filename="C:\\photos\\"',
    "a name before its field": 'filename=".."; name="image"',
    "no name, but a picture": 'name="image"; filename=""',
    "a quote without its end": 'name="image"; filename="a',
}
NO_FILE = {
    "no file name": 'name="image"',
    "another field": 'name="avatar"; filename="a.png"',
    "the field in capitals": 'name="IMAGE"; filename="a.png"',
    "a list's field": 'name="image[]"; filename="a.png"',
    "no field": 'filename="a.png"',
}


@pytest.mark.parametrize("name", DISPOSITIONS)
def test_the_files_name_means_nothing(send, tmp_path, name):
    assert_fresh(send(part(picture(), DISPOSITIONS[name]) + END), tmp_path, "PNG")


@pytest.mark.parametrize("name", NO_FILE)
def test_no_file_in_the_field_is_refused(send, tmp_path, name):
    assert_refused(send(part(picture(), NO_FILE[name]) + END), tmp_path, 400)


def test_no_file_chosen_is_no_file(send, tmp_path):
    """A browser then sends a part without a name and without content."""
    assert_refused(send(part(b"", 'name="image"; filename=""') + END), tmp_path, 400)


@pytest.mark.parametrize("kind", ["text/plain", "text/html; charset=utf-7", "image/svg+xml", "nonsense", "a/b; =;;="])
def test_the_content_type_of_the_part_means_nothing(send, tmp_path, kind):
    assert_fresh(send(part(picture(), headers=f"Content-Type: {kind}") + END), tmp_path, "PNG")


def test_a_line_end_in_the_name_gives_no_header(send, tmp_path):
    answer = send(part(picture(), 'name="image"; filename="a\r\nX-Evil: 1\r\n.png"') + END)
    assert "X-Evil" not in answer
    assert_fresh(answer, tmp_path, "PNG")


def test_of_two_files_one_is_stored(send, tmp_path):
    assert_fresh(send(part(picture("GIF")) + part(picture("PNG")) + END), tmp_path, "PNG")


def test_a_base64_part_is_decoded_and_held_to_the_same_rules(send, tmp_path):
    encoded = "Content-Transfer-Encoding: base64"
    assert_refused(send(part(b64encode(EVIL), headers=encoded) + END), tmp_path, 415)
    assert_refused(send(part(b"!" * 999, headers=encoded) + END), tmp_path, 400, 415)
    assert_fresh(send(part(b64encode(picture("JPEG") + EVIL), headers=encoded) + END), tmp_path, "JPEG")


def nested():
    inner = part(picture()).replace(b"--b\r\n", b"--c\r\n") + b"--c--\r\n"
    return part(inner, 'name="image"', "Content-Type: multipart/mixed; boundary=c") + END


BODIES = {
    "no boundary": (part(picture()) + END, "multipart/form-data"),
    "an empty boundary": (part(picture()) + END, "multipart/form-data; boundary="),
    "another boundary": (part(picture()) + END, "multipart/form-data; boundary=other"),
    "a boundary of 300 characters": (part(picture()) + END, f"multipart/form-data; boundary={'b' * 300}"),
    "a boundary of other letters": (part(picture()) + END, "multipart/form-data; boundary=\xe9"),
    "a multipart within": (nested(), "multipart/form-data; boundary=b"),
    "10,000 parts": (part(b"", 'name="image"; filename="a"') * 10_000 + END, "multipart/form-data; boundary=b"),
    "1,000 fields": (part(b"", 'name="a"') * 1_000 + END, "multipart/form-data; boundary=b"),
    "a part's header of 100 KB": (part(b"", headers="X-A: " + "a" * 100_000) + END, "multipart/form-data; boundary=b"),
    "only the end": (END, "multipart/form-data; boundary=b"),
    "the bare image": (picture(), "image/png"),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_out_of_order_is_refused(send, tmp_path, name):
    assert_refused(send(*BODIES[name]), tmp_path, 400, 413, 415)


@pytest.mark.parametrize("missing", [1, 2, 60])
def test_a_body_without_its_end_is_refused(send, tmp_path, missing):
    assert_refused(send(part(picture(size=(200, 200)))[:-missing]), tmp_path, 400)
