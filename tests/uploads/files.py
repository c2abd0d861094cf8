"""Pictures to send, made by hand where no library makes what cameras and old programs do."""

import struct
import zlib
from io import BytesIO

import pillow_heif
from PIL import Image

pillow_heif.register_heif_opener()

P3 = ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407))
ADOBE = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
"""Red, green and blue of Display P3 and Adobe RGB (1998), as their profiles say them."""
SRGB_CURVE = b"para\0\0\0\0\0\3\0\0" + struct.pack(
    ">5i", *(round(65_536 * part) for part in (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045))
)
GAMMA_2_2 = b"curv\0\0\0\0\0\0\0\1\x02\x33\0\0"


def picture(kind="PNG", size=(40, 30), mode="RGB", color=1, **save):
    return saved(Image.new(mode, size, color), kind, **save)


def saved(image, kind="PNG", **save):
    written = BytesIO()
    image.save(written, format=kind, **save)
    return written.getvalue()


def xyz(*parts):
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(65_536 * part) for part in parts))


def profile(tags, space=b"RGB ", between=b"XYZ ", device=b"mntr"):
    """An ICC profile, of a display or a press. https://www.color.org/specification/ICC.1-2022-05.pdf"""
    table, data = b"", b""
    for name, content in tags.items():
        table += name + struct.pack(">2I", 132 + 12 * len(tags) + len(data), len(content))
        data += content
    head = b"\4\x30\0\0" + device + space + between + bytes(12) + b"acsp" + bytes(28) + xyz(0.9642, 1, 0.8249)[8:]
    body = bytes(4) + head.ljust(120, b"\0") + struct.pack(">I", len(tags)) + table + data
    return struct.pack(">I", len(body) + 4) + body


def rgb_profile(lights=P3, curve=GAMMA_2_2):
    colours = dict(zip((b"rXYZ", b"gXYZ", b"bXYZ"), (xyz(*light) for light in lights), strict=True))
    return profile({b"wtpt": xyz(0.9642, 1, 0.8249), **colours, b"rTRC": curve, b"gTRC": curve, b"bTRC": curve})


def grey_profile():
    return profile({b"wtpt": xyz(0.9642, 1, 0.8249), b"kTRC": b"curv\0\0\0\0\0\0\0\1\1\0\0\0"}, b"GRAY")


def cmyk_profile():
    """A CMYK whose inks all make one colour: a table of 2 x 2 x 2 x 2 times the same Lab (50, 60, 40)."""
    lab = struct.pack(">3H", *(round(part) for part in (50 * 652.8, (60 + 128) * 256, (40 + 128) * 256)))
    line = struct.pack(">2H", 0, 65_535)
    matrix = struct.pack(">9i", 65_536, 0, 0, 0, 65_536, 0, 0, 0, 65_536)
    table = b"mft2\0\0\0\0" + bytes([4, 3, 2, 0]) + matrix + struct.pack(">2H", 2, 2) + 4 * line + 16 * lab + 3 * line
    return profile({b"wtpt": xyz(0.9642, 1, 0.8249), b"A2B0": table}, b"CMYK", b"Lab ", b"prtr")


def chunk(name, content, checksum=None):
    right = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", right if checksum is None else checksum)


def png(*before, size=(1, 1), depth=8, colour=2, pixels=b"\0\xc8\x3c\x32", behind=b""):
    """A PNG of these chunks and pixels: one pixel of 200, 60, 50."""
    header = chunk(b"IHDR", struct.pack(">2I5B", *size, depth, colour, 0, 0, 0))
    end = chunk(b"IDAT", zlib.compress(pixels)) + behind + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(before) + end


def exif(orientation, *, order="<", others=b"", count=1):
    """A TIFF header, and a directory of `count` entries that begins with the orientation."""
    entry = struct.pack(order + "2HI2H", 0x0112, 3, 1, orientation, 0)
    return (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, count) + entry + others


def riff(*chunks):
    parts = [name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2) for name, content in chunks]
    body = b"WEBP" + b"".join(parts)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def segment(marker, content):
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def with_segment(jpeg, marker, content):
    return jpeg[:2] + segment(marker, content) + jpeg[2:]
