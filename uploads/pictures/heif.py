"""HEIC, HEIF and AVIF: one container, and two decoders. https://www.iso.org/standard/83650.html

Of these nothing but the container's claim is known before they are decoded: a small `ispe` can hide any picture. What
holds a liar is the memory that the process may take (`limits.py`).
"""

import re
from functools import partial
from io import BytesIO

from PIL import AvifImagePlugin, Image

from uploads.pictures import colour_spaces
from uploads.pictures.converting import converted
from uploads.pictures.exif import orientation
from uploads.pictures.picture import Picture
from uploads.pictures.refusals import Refusal, RefusedPictureError
from uploads.pictures.shrinking import shrunk

try:
    import pillow_heif
except ImportError:  # its wheels are under the GPL: docs/decisions/heic.md
    pillow_heif = None  # type: ignore[assignment]

AVIF = (b"avif", b"avis")
HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs")
EITHER = (b"mif1", b"msf1", b"mif2", b"miaf")
"""Brands that say no more than that it is a HEIF: which, the compatible ones say."""
METADATA = re.compile(rb"(infe[\x02\x03].{3}.{4,6}?)(?:Exif|mime)", re.DOTALL)
"""Items that are no pixels, and need not be readable."""
TURNED = (b"irot", b"imir")
TIFF = re.compile(rb"II\*\0|MM\0\*")
CODED_COLOURS = re.compile(rb"colrnclx(.{2})(.{2})", re.DOTALL)
AV1_CONFIG = re.compile(rb"av1C\x81.(.)", re.DOTALL)

AvifImagePlugin.DEFAULT_MAX_THREADS = 1
if pillow_heif:
    pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)


def accepts(content: bytes) -> bool:
    return content[4:8] == b"ftyp" and content[8:12] in (*AVIF, *HEIC, *EITHER)


def read(content: bytes) -> Picture:
    is_avif = content[8:12] in AVIF or any(brand in brands(content) for brand in AVIF)
    if not is_avif and pillow_heif is None:
        raise RefusedPictureError(Refusal.UNREAD_HEIC)
    bare = METADATA.sub(rb"\1free", content)
    try:
        image = Image.open(BytesIO(bare), formats=("AVIF" if is_avif else "HEIF",))
    except (OSError, ValueError, SyntaxError) as error:
        raise RefusedPictureError(Refusal.NOT_A_PICTURE) from error
    return Picture(
        kind="JPEG",
        size=image.size,
        need=avif_need(image, content) if is_avif else heic_need(image),
        decode=partial(decode, image),
        orientation=orientation(image.info.get("exif") or b"") if is_avif else heic_orientation(content),
        profile=image.info.get("icc_profile") or coded(image, content),
    )


def brands(content: bytes) -> list[bytes]:
    end = min(int.from_bytes(content[:4]), 256)
    return [content[place : place + 4] for place in range(16, end, 4)]


def heic_orientation(content: bytes) -> int:
    """That of EXIF, where the container does not turn the picture itself: it is decoded upright where it does."""
    container, _, _ = content.partition(b"mdat")
    exif = TIFF.search(content)
    return 1 if exif is None or any(turn in container for turn in TURNED) else orientation(content[exif.start() :])


def coded(image: Image.Image, content: bytes) -> bytes | None:
    """The profile that numbers in the container stand for."""
    if image.format == "HEIF":
        told = image.info.get("nclx_profile", {})
        return colour_spaces.coded(told.get("color_primaries", 0), told.get("transfer_characteristics", 0))
    found = CODED_COLOURS.search(content)
    return colour_spaces.coded(*(int.from_bytes(each) for each in found.groups())) if found else None


def avif_need(image: Image.Image, content: bytes) -> int:
    """libavif's planes, the colours made of them, and Pillow's picture."""
    found = AV1_CONFIG.search(content)
    flags = found[1][0] if found else 0
    wide, mono, narrow, low = (flags >> bit & 1 for bit in (6, 4, 3, 2))
    colours = 0 if mono else 2 / (1 + narrow) / (1 + low)
    alpha = image.mode == "RGBA"
    planes = (1 + colours + alpha) * (1 + wide)
    return int((planes + (3 + alpha) + 4) * image.width * image.height)


def heic_need(image: Image.Image) -> int:
    """libde265's planes and libheif's, the colours made of them; then those, and Pillow's picture."""
    planes = {"420": 1.5, "422": 2.0, "444": 3.0}.get(str(image.info.get("chroma")), 1.0)
    alpha, wide = image.mode == "RGBA", image.info.get("bit_depth", 8) > 8
    bands = 3 + alpha
    return int(max(2 * (planes + alpha) * (1 + wide) + bands, bands + 4) * image.width * image.height)


def decode(image: Image.Image) -> Image.Image:
    return shrunk(image, converted)
