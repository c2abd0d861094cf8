import tempfile
import zlib
from io import BytesIO
from random import randbytes
from urllib.parse import urlsplit

import pytest
from PIL import Image

from tests.uploads.conftest import PATH
from tests.uploads.files import picture


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_an_image_is_stored_and_the_link_works(upload, stored, kind):
    image = stored(upload(picture(kind), name="anything.txt"))
    assert (image.format, image.size) == (kind, (40, 30))


def test_the_message_is_the_one_that_clients_know(upload):
    assert upload(picture()).json()["message"] == "Your image has been uploaded successfully"


def test_a_camera_file_of_several_pictures_is_a_jpeg(upload, stored):
    several = [Image.new("RGB", (40, 30), color) for color in ("red", "blue")]
    written = BytesIO()
    several[0].save(written, format="MPO", save_all=True, append_images=several[1:])
    assert stored(upload(written.getvalue())).format == "JPEG"


@pytest.mark.parametrize(
    ("kind", "mode"), [("JPEG", "CMYK"), ("JPEG", "L"), ("PNG", "I;16"), ("PNG", "P"), ("GIF", "P")]
)
def test_an_image_in_another_mode_is_stored(upload, stored, kind, mode):
    assert stored(upload(picture(kind, mode=mode))).format == kind


def test_sixteen_bits_of_grey_keep_their_shades(upload, stored):
    ramp = Image.new("I;16", (256, 1))
    for level in range(256):
        ramp.putpixel((level, 0), level * 257)
    written = BytesIO()
    ramp.save(written, format="PNG")
    image = stored(upload(written.getvalue())).convert("L")
    assert [image.getpixel((level, 0)) for level in (0, 64, 128, 255)] == [0, 64, 128, 255]


def test_a_header_that_claims_a_huge_picture_is_too_large(upload):
    content = bytearray(picture())
    content[16:24] = (100_000).to_bytes(4, "big") * 2
    content[29:33] = zlib.crc32(bytes(content[12:29])).to_bytes(4, "big")
    assert upload(bytes(content)).status_code == 413


def test_a_large_image_is_made_smaller_with_its_proportions(upload, stored):
    assert stored(upload(picture(size=(3000, 1500)))).size == (1024, 512)


def test_metadata_is_not_kept_and_the_picture_stands_upright(upload, stored):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    exif[0x010E] = "at home, 12 Elm Street"
    answer = upload(picture("JPEG", exif=exif))
    image = stored(answer)
    assert image.size == (30, 40)
    assert not image.getexif()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        b"%PDF-1.4",
        b"\x89PNG\r\n\x1a\n",
        picture()[:50],
        picture("JPEG")[:200],
        picture("BMP"),
        picture("TIFF"),
    ],
)
def test_what_is_no_image_is_refused(upload, content):
    answer = upload(content)
    assert answer.status_code in (400, 415)
    assert answer.json()["code"] in ("not_an_image", "broken_image")


def test_more_than_25_megapixels_are_refused_before_they_are_decoded(upload):
    answer = upload(picture(size=(5001, 5000), mode="1"))
    assert (answer.status_code, answer.json()["code"]) == (413, "image_too_large")


def test_more_than_five_mebibytes_are_refused(upload):
    assert upload(picture() + b"0" * 5 * 1024 * 1024).status_code == 413


def test_five_mebibytes_are_taken(upload):
    image = picture()
    assert upload(image + b"0" * (5 * 1024 * 1024 - len(image))).status_code == 200


def test_another_field_is_refused(upload):
    answer = upload(picture(), field="avatar")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "image")


def test_no_file_is_refused(api, db):
    assert api.post(PATH, {"image": "text"}, format="multipart").status_code == 400
    assert api.generic("POST", PATH).status_code == 400


def test_switched_off_it_says_what_is_missing(upload, settings):
    settings.STORAGE = {}
    answer = upload(picture())
    assert (answer.status_code, answer.json()["code"]) == (503, "not_configured")
    assert "CLOUDINARY_API_KEY" in answer.json()["detail"]


def test_a_browser_that_has_it_already_is_told_so(upload, client):
    """Or a page that is opened again would show none."""
    path = urlsplit(upload(picture()).json()["image"]).path
    seen = client.get(path)
    assert (seen.status_code, len(seen.getvalue()) > 0) == (200, True)
    again = client.get(path, headers={"If-Modified-Since": seen["Last-Modified"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("name", ["../manage.py", "..%2fmanage.py", "nope.png", ".."])
def test_nothing_else_is_served_as_media(client, name):
    assert client.get(f"/media/{name}").status_code == 404


def test_a_large_upload_needs_no_folder_that_can_be_written(upload, stored, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/nowhere"])
    noise = Image.frombytes("RGB", (1150, 1150), randbytes(1150 * 1150 * 3))
    written = BytesIO()
    noise.save(written, format="PNG")
    assert 3_500_000 < len(written.getvalue()) < 5_000_000
    assert stored(upload(written.getvalue())).size == (1024, 1024)
