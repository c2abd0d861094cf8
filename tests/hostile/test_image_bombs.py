"""Images that cost more than their bytes: too much is refused, and the rest stays within what an answer may take."""

from random import Random

import pytest

from tests.hostile.conftest import EXAMPLES
from tests.uploads.files import picture

PATH = "/api/upload"
HEAD = b'--b\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n'
SIDE = 5000 if EXAMPLES else 1000
"""25 megapixels take a good second; on a busy machine, more than `make test` should rely on."""


def scans(count, side):
    """A progressive JPEG with as many more passes over the whole picture, of some 60 bytes each."""
    plain = picture("JPEG", (side, side), "L", progressive=True)
    end, last = plain.rindex(b"\xff\xd9"), plain.rindex(b"\xff\xda")
    return plain[:end] + plain[last:end] * count + plain[end:]


REFUSED = {
    "1,000 scans of 25 megapixels": (lambda: scans(1000, 5000), 400),
    "60,000 scans": (lambda: scans(60_000, 400), 400),
    "one column of 25 megapixels": (lambda: picture("PNG", (1, 25_000_000), "1"), 413),
    "one row of 25 megapixels": (lambda: picture("PNG", (25_000_000, 1), "1"), 413),
    "an AVIF of 25.01 megapixels": (lambda: picture("AVIF", (5002, 5000), "L", speed=10), 413),
}
COSTLY = {
    "all colours and transparency": lambda: picture("PNG", (SIDE, SIDE), "RGBA"),
    "as high as may be": lambda: picture("PNG", (SIDE * SIDE // 65_535, 65_535), "RGBA"),
    "CMYK in several scans": lambda: picture("JPEG", (SIDE, SIDE), "CMYK", progressive=True),
    "as many scans as may be": lambda: scans(24, SIDE),
    "WebP without loss": lambda: picture("WEBP", (SIDE, SIDE), "RGBA", lossless=True, method=0),
    "GIF": lambda: picture("GIF", (SIDE, SIDE), "P"),
    "AVIF": lambda: picture("AVIF", (SIDE, SIDE), speed=10),
    "HEIC": lambda: picture("HEIF", (SIDE, SIDE), quality=10),
    "tiles of a HEIC": lambda: picture("HEIF", (960, 960), tile_size=64, quality=10),
    "an ordinary progressive JPEG": lambda: picture("JPEG", (400, 400), progressive=True),
    "a photo with its film behind it": lambda: (
        picture("JPEG", (400, 400)) + Random(1).randbytes(2_000_000).replace(b"--b", b"")
    ),
}


@pytest.fixture
def send(attack, world):
    """A test fails where an answer takes too much of the processor's time: `application` sees to that."""

    def send(name, content):
        body = HEAD + content + b"\r\n--b--\r\n"
        return attack.send(name, "POST", PATH, body, "multipart/form-data; boundary=b").status_code

    return send


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_cost_too_much_is_refused(send, attack, name):
    make, status = REFUSED[name]
    assert (send(name, make()), attack.faults) == (status, [])


@pytest.mark.parametrize("name", COSTLY)
def test_what_is_let_in_takes_no_longer_than_an_answer_may(send, attack, name):
    assert (send(name, COSTLY[name]()), attack.faults) == (200, [])
