"""WebP: of its chunks one, or the first frame, is the picture. https://developers.google.com/speed/webp/docs/riff_container"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from io import BytesIO

from PIL import Image

from uploads.pictures import libwebp, shrinking
from uploads.pictures.exif import orientation
from uploads.pictures.picture import Picture
from uploads.pictures.refusals import Refusal, RefusedPictureError
from uploads.pictures.shrinking import placed, placed_size, shrunk

LOSSY, LOSSLESS, ALPHA, FRAME, HEADER = b"VP8 ", b"VP8L", b"ALPH", b"ANMF", b"VP8X"
HAS_ALPHA = 0x10
SMALL = 16 * 1024 * 1024
"""What the result takes, and the rows that libwebp is about."""
Size = tuple[int, int]


@dataclass(frozen=True)
class Still:
    """One picture, as a file that holds nothing else."""

    content: bytes
    size: Size
    is_lossless: bool
    left: int = 0
    top: int = 0


def read(content: bytes) -> Picture:
    found = list(chunks(content, 12))
    first = dict(reversed(found))
    still = animated(first[FRAME]) if FRAME in first else alone(found)
    canvas = still.size
    if len(header := first.get(HEADER, b"")) == 10 and FRAME in first:
        canvas = three_bytes(header, 4) + 1, three_bytes(header, 7) + 1
    canvas = max(canvas[0], still.left + still.size[0]), max(canvas[1], still.top + still.size[1])
    return Picture(
        kind="WEBP",
        size=canvas,
        need=need(still),
        decode=partial(decode, still, canvas),
        orientation=orientation(first.get(b"EXIF", b"")),
        profile=first.get(b"ICCP"),
    )


def chunks(webp: bytes, place: int) -> Iterator[tuple[bytes, bytes]]:
    """Those that are there whole."""
    while place + 8 <= len(webp):
        name, length = struct.unpack_from("<4sI", webp, place)
        content = webp[place + 8 : place + 8 + length]
        place += 8 + length + length % 2
        if len(content) == length:
            yield name, content


def animated(frame: bytes) -> Still:
    """The first frame. Its place is written in halves."""
    still = alone(list(chunks(frame, 16)))
    return Still(still.content, still.size, still.is_lossless, 2 * three_bytes(frame, 0), 2 * three_bytes(frame, 3))


def alone(found: list[tuple[bytes, bytes]]) -> Still:
    """The picture among these chunks, with the alpha that may stand before it."""
    pixels = next(((name, content) for name, content in found if name in (LOSSY, LOSSLESS)), None)
    if pixels is None:
        raise RefusedPictureError(Refusal.NOT_A_PICTURE)
    size = pixel_size(*pixels)
    alpha = [each for each in found if each[0] == ALPHA][:1] if pixels[0] == LOSSY else []
    header = struct.pack("<I", HAS_ALPHA) + (size[0] - 1).to_bytes(3, "little") + (size[1] - 1).to_bytes(3, "little")
    kept = [(HEADER, header), *alpha, pixels] if alpha else [pixels]
    body = b"".join(
        name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2) for name, content in kept
    )
    return Still(b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body, size, pixels[0] == LOSSLESS)


def pixel_size(name: bytes, content: bytes) -> Size:
    """As the pixels' own header says: what stands around them may lie."""
    if name == LOSSY and content[3:6] == b"\x9d\x01\x2a" and len(content) >= 10:
        width, height = (each & 0x3FFF for each in struct.unpack_from("<2H", content, 6))
    elif name == LOSSLESS and content[:1] == b"\x2f" and len(content) >= 5:
        bits = int.from_bytes(content[1:5], "little")
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    else:
        raise RefusedPictureError(Refusal.NOT_A_PICTURE)
    if not (width and height):
        raise RefusedPictureError(Refusal.NOT_A_PICTURE)
    return width, height


def three_bytes(content: bytes, place: int) -> int:
    return int.from_bytes(content[place : place + 3], "little")


def need(still: Still) -> int:
    """libwebp alone scales while it decodes, and keeps what has no loss or is alpha; Pillow keeps four pictures."""
    pixels = still.size[0] * still.size[1]
    if libwebp.library() is None:
        return 16 * pixels + shrinking.need(still.size)
    return (4 if still.is_lossless else 1) * pixels + SMALL


def decode(still: Still, canvas: Size) -> Image.Image:
    target = placed_size(still.size, canvas)
    if library := libwebp.library():
        image = libwebp.decode(library, still.content, target)
    else:
        image = shrunk(Image.open(BytesIO(still.content), formats=("WEBP",)), lambda band: band.convert("RGBA"), target)
    if still.size == canvas:
        return image
    return placed(image, (still.left, still.top, *still.size), canvas)
