"""GIF: of its blocks the first frame is the picture. https://www.w3.org/Graphics/GIF/spec-gif89a.txt"""

import struct
from dataclasses import dataclass
from functools import partial
from io import BytesIO

from PIL import Image

from uploads.pictures import shrinking
from uploads.pictures.picture import Picture
from uploads.pictures.refusals import Refusal, RefusedPictureError
from uploads.pictures.shrinking import fitted, placed, placed_size, shrunk

SIGNATURES = (b"GIF87a", b"GIF89a")
EXTENSION, FRAME, CONTROL, HAS_PALETTE = 0x21, 0x2C, 0xF9, 0x80
SHORTEST_CODES = range(1, 12)


@dataclass(frozen=True)
class Frame:
    box: tuple[int, int, int, int]
    control: bytes
    content: bytes
    """From its flags on: palette and pixels."""


def read(content: bytes) -> Picture:
    if len(content) < 13:
        raise RefusedPictureError(Refusal.NOT_A_PICTURE)
    width, height, flags = struct.unpack("<2HB", content[6:11])
    start = 13 + palette_length(flags)
    frame = first_frame(content, start)
    left, top, *sides = frame.box
    canvas = max(width, left + sides[0]), max(height, top + sides[1])
    head = content[:6] + struct.pack("<2H", *sides) + content[10:start]
    image = b"," + struct.pack("<4H", 0, 0, *sides)
    return Picture(
        kind="GIF",
        size=canvas,
        need=sides[0] * sides[1] + shrinking.need((sides[0], sides[1])),
        decode=partial(decode, head + frame.control + image + frame.content + b";", frame.box, canvas),
    )


def palette_length(flags: int) -> int:
    return 3 * 2 ** ((flags & 7) + 1) if flags & HAS_PALETTE else 0


def first_frame(gif: bytes, place: int) -> Frame:
    """Where an extension breaks off or runs too far, the frame is looked for behind it: a comment is no pixel."""
    control = b""
    while gif[place : place + 1] == bytes([EXTENSION]) and place + 2 < len(gif):
        behind = skipped(gif, place + 2)
        if gif[place + 1] == CONTROL and behind == place + 8:
            control = gif[place:behind]
        if behind >= len(gif) or gif[behind] not in (EXTENSION, FRAME):
            break
        place = behind
    while (place := gif.find(FRAME, place)) >= 0:
        if frame := frame_at(gif, place, control):
            return frame
        place += 1
    raise RefusedPictureError(Refusal.NOT_A_PICTURE)


def frame_at(gif: bytes, place: int, control: bytes) -> Frame | None:
    """The frame whose descriptor stands here, if it can be one."""
    if place + 11 > len(gif):
        return None
    left, top, width, height, flags = struct.unpack_from("<4HB", gif, place + 1)
    pixels = place + 10 + palette_length(flags)
    if not (width and height) or pixels >= len(gif) or gif[pixels] not in SHORTEST_CODES:
        return None
    return Frame((left, top, width, height), control, gif[place + 9 : skipped(gif, pixels + 1)])


def skipped(gif: bytes, place: int) -> int:
    """The place behind a chain of sub-blocks, or the file's end."""
    while place < len(gif) and gif[place]:
        place += 1 + gif[place]
    return min(place + 1, len(gif))


def decode(bare: bytes, box: tuple[int, int, int, int], canvas: tuple[int, int]) -> Image.Image:
    """As it is (P or L) where it need not be scaled and fills its canvas."""
    image = Image.open(BytesIO(bare), formats=("GIF",))
    if box[:2] != (0, 0) or image.size != canvas:
        return placed(shrunk(image, convert, placed_size(image.size, canvas)), box, canvas)
    if image.size != fitted(canvas):
        return shrunk(image, convert)
    image.load()
    return image


def convert(band: Image.Image) -> Image.Image:
    return band.convert("RGBA" if "transparency" in band.info else "RGB")
