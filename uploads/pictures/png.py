"""PNG: its chunks, of which some are the picture. https://www.w3.org/TR/png-3/"""

import struct
import zlib
from collections.abc import Iterator
from functools import partial
from io import BytesIO

from PIL import Image

from uploads.pictures import colour_spaces, shrinking
from uploads.pictures.converting import Key, converted
from uploads.pictures.exif import orientation
from uploads.pictures.picture import Picture
from uploads.pictures.refusals import Refusal, RefusedPictureError
from uploads.pictures.shrinking import shrunk

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, COLOUR, PALETTE, GREY_ALPHA = 0, 2, 3, 4

MOST_PROFILE = 4 * 1024 * 1024
"""Larger than any that a press uses; a kilobyte can unpack to a thousand."""

Chunks = dict[bytes, bytes]


def read(content: bytes) -> Picture:
    """Chunks with a wrong checksum are not there, except pixels: those have a checksum of their own."""
    found = list(chunks(content))
    if not found or found[0][0] != b"IHDR" or len(found[0][1]) != 13:
        raise RefusedPictureError(Refusal.NOT_A_PICTURE)
    header, first = found[0][1], dict(reversed(found))
    width, height, depth, colour = struct.unpack(">2I2B", header[:10])
    if not (width and height):
        raise RefusedPictureError(Refusal.NOT_A_PICTURE)
    if colour == PALETTE and not first.get(b"PLTE"):
        raise RefusedPictureError(Refusal.DAMAGED)
    pixels = [each for name, each in found if name == b"IDAT"]
    key = transparent(first.get(b"tRNS", b""), depth, colour)
    return Picture(
        kind="PNG",
        size=(width, height),
        need=width * height * pillow_bytes(depth, colour) + shrinking.need((width, height)),
        decode=partial(decode, bare(header, first, pixels, colour), key),
        orientation=orientation(first.get(b"eXIf", b"")),
        profile=profile(first),
    )


def chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    place, name = len(SIGNATURE), b""
    while name != b"IEND" and place + 8 <= len(png):
        length, name = int.from_bytes(png[place : place + 4]), png[place + 4 : place + 8]
        content, checksum = png[place + 8 : place + 8 + length], png[place + 8 + length : place + 12 + length]
        place += 12 + length
        if name == b"IDAT" or zlib.crc32(content, zlib.crc32(name)) == int.from_bytes(checksum):
            yield name, content


def bare(header: bytes, first: Chunks, pixels: list[bytes], colour: int) -> bytes:
    """A PNG of nothing but pixels; of a transparent palette too, which Pillow knows how to apply."""
    palette = [(b"PLTE", first[b"PLTE"])] if colour == PALETTE else []
    if palette and b"tRNS" in first:
        palette.append((b"tRNS", first[b"tRNS"][: len(palette[0][1]) // 3]))
    kept = [(b"IHDR", header), *palette, *((b"IDAT", each) for each in pixels), (b"IEND", b"")]
    return SIGNATURE + b"".join(part for name, content in kept for part in chunk(name, content))


def chunk(name: bytes, content: bytes) -> tuple[bytes, bytes, bytes]:
    checksum = 0 if name == b"IDAT" else zlib.crc32(content, zlib.crc32(name))  # nobody looks at that of pixels
    return struct.pack(">I", len(content)) + name, content, struct.pack(">I", checksum)


def pillow_bytes(depth: int, colour: int) -> int:
    """How much memory Pillow takes for a pixel."""
    if colour in (GREY, PALETTE):
        return 2 if depth == 16 else 1
    return 4


def transparent(content: bytes, depth: int, colour: int) -> Key:
    """The one grey or colour that is transparent, in as many bits as the picture has, or (). A short chunk is none."""
    length = {GREY: 2, COLOUR: 6}.get(colour)
    if length is None or len(content) < length:
        return ()
    levels = struct.unpack(f">{length // 2}H", content[:length])
    if depth == 16:
        return levels if colour == GREY else tuple(level >> 8 for level in levels)  # Pillow reads colours as 8 bits
    return tuple((level & (1 << depth) - 1) * 255 // ((1 << depth) - 1) for level in levels)


def profile(first: Chunks) -> bytes | None:
    """What says most wins, as in section 4.3: cICP, iCCP, sRGB, and then gAMA with cHRM."""
    if len(cicp := first.get(b"cICP", b"")) == 4:
        return colour_spaces.coded(cicp[0], cicp[1])
    if b"iCCP" in first:
        _, _, packed = first[b"iCCP"].partition(b"\0")
        return unpacked(packed[1:])
    if b"sRGB" in first:
        return None
    gamma, corners = first.get(b"gAMA", b""), first.get(b"cHRM", b"")
    return colour_spaces.measured(
        gamma=int.from_bytes(gamma) / 100_000 if len(gamma) == 4 else None,
        corners=[each / 100_000 for each in struct.unpack(">8I", corners)] if len(corners) == 32 else None,
    )


def unpacked(packed: bytes) -> bytes | None:
    machine = zlib.decompressobj()
    try:
        content = machine.decompress(packed, MOST_PROFILE)
    except zlib.error:
        return None
    return content if machine.eof else None


def decode(bare: bytes, key: Key) -> Image.Image:
    return shrunk(Image.open(BytesIO(bare), formats=("PNG",)), partial(converted, key=key))
