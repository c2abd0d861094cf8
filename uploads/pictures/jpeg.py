"""JPEG: its segments, of which some are the picture. https://www.w3.org/Graphics/JPEG/itu-t81.pdf, annex B"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from io import BytesIO

from PIL import Image

from uploads.pictures import shrinking
from uploads.pictures.exif import orientation
from uploads.pictures.picture import Picture
from uploads.pictures.refusals import Refusal, RefusedPictureError
from uploads.pictures.shrinking import fitted, shrunk, step

SIGNATURE = b"\xff\xd8\xff"
MARKER = re.compile(rb"\xff+([^\x00\x01\xff\xd0-\xd8])")
"""Where a segment begins. The others behind an 0xFF begin none (B.1.1.3)."""
END_OF_IMAGE, START_OF_SCAN = 0xD9, 0xDA
FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
BY_COSINES = {0xC0, 0xC1, 0xC2, 0xC9, 0xCA}
"""Frames that libjpeg can decode at a half, a quarter or an eighth of their size."""
PROGRESSIVE = {0xC2, 0xCA}
APP0, APP1, APP2, APP14 = 0xE0, 0xE1, 0xE2, 0xEE
NOT_PIXELS = range(0xE0, 0xFF)
"""Applications' data, extensions and comments, but for two that tell how colours are written."""
COLOURS = {APP0: (b"JFIF\0", 14), APP14: (b"Adobe", 12)}
MOST_SCANS = 32
"""A progressive JPEG comes in about ten. Each is a pass over the whole picture, and can be as short as 60 bytes."""


@dataclass(frozen=True)
class Segment:
    marker: int
    content: bytes
    whole: bytes
    """With its marker and length; a scan's with the pixels that follow."""

    def is_needed(self) -> bool:
        if self.marker in COLOURS:
            name, length = COLOURS[self.marker]
            return self.content.startswith(name) and len(self.content) >= length
        return self.marker not in NOT_PIXELS


def read(content: bytes) -> Picture:
    """The first picture: what a phone hangs on behind it, such as a film or a second view, is not looked at."""
    parts = list(segments(content))
    frames = [part for part in parts if part.marker in FRAMES]
    if not frames or len(frames[0].content) < 6:
        raise RefusedPictureError(Refusal.NOT_A_PICTURE)
    frame, scans = frames[0], sum(part.marker == START_OF_SCAN for part in parts)
    size = int.from_bytes(frame.content[3:5]), int.from_bytes(frame.content[1:3])
    if not all(size):
        raise RefusedPictureError(Refusal.NOT_A_PICTURE)
    if len(frames) > 1 or scans > MOST_SCANS:
        raise RefusedPictureError(Refusal.DAMAGED)
    bare = b"".join([SIGNATURE[:2], *(part.whole for part in parts if part.is_needed())])
    scaled = frame.marker in BY_COSINES
    turns = (orientation(part.content) for part in parts if part.marker == APP1 and part.content.startswith(b"Exif\0"))
    return Picture(
        kind="JPEG",
        size=size,
        need=need(frame, size, scans, scaled=scaled),
        decode=partial(decode, bare, scaled=scaled),
        orientation=next((turn for turn in turns if turn > 1), 1),
        profile=profile([part.content for part in parts if part.marker == APP2]),
    )


def segments(jpeg: bytes) -> Iterator[Segment]:
    """Up to the end of the image, or of the file. What stands between two is skipped."""
    place = len(SIGNATURE) - 1
    while found := MARKER.search(jpeg, place):
        if found[1][0] == END_OF_IMAGE:
            yield Segment(END_OF_IMAGE, b"", found[0])
            return
        place = found.end() + int.from_bytes(jpeg[found.end() : found.end() + 2])
        content = jpeg[found.end() + 2 : place]
        if found[1][0] == START_OF_SCAN:
            behind = MARKER.search(jpeg, place)
            place = behind.start() if behind else len(jpeg)
        yield Segment(found[1][0], content, jpeg[found.end() - 2 : place])


def profile(contents: list[bytes]) -> bytes | None:
    """The ICC profile, put together from its numbered parts. https://www.color.org/specification/ICC.1-2022-05.pdf"""
    name = b"ICC_PROFILE\0"
    parts = sorted(content[len(name) :] for content in contents if content.startswith(name))
    numbers = [tuple(part[:2]) for part in parts]
    if numbers != [(number, len(parts)) for number in range(1, len(parts) + 1)]:
        return None
    return b"".join(part[2:] for part in parts) or None


def need(frame: Segment, size: tuple[int, int], scans: int, *, scaled: bool) -> int:
    """A picture in several scans is kept whole, as coefficients of two bytes, until the last has been read."""
    parts = [(each >> 4) * (each & 15) for each in frame.content[7::3]]
    samples = sum(parts) / max(parts, default=1) if all(parts) else len(parts)
    pixels = size[0] * size[1]
    kept = 2 * samples * pixels if scans > 1 or frame.marker in PROGRESSIVE else 0
    by = scale(size) if scaled else 1
    return int(kept + 4 * pixels / by**2 + shrinking.need((-(-size[0] // by), -(-size[1] // by))))


def scale(size: tuple[int, int]) -> int:
    """By how much libjpeg divides the sides, which it can by these numbers."""
    return max(by for by in (1, 2, 4, 8) if by <= step(size, fitted(size)))


def decode(bare: bytes, *, scaled: bool) -> Image.Image:
    image = Image.open(BytesIO(bare), formats=("JPEG",))
    target, by = fitted(image.size), scale(image.size)
    if scaled:
        image.draft(None, (max(1, image.width // by), max(1, image.height // by)))
    return shrunk(image, lambda band: band if band.mode == "CMYK" else band.convert("RGB"), target)
