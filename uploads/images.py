"""Reads an untrusted image and writes it anew: what is stored holds pixels and nothing else."""

from io import BytesIO
from typing import IO, Any

from PIL import Image, ImageOps, UnidentifiedImageError
from rest_framework.exceptions import APIException

FORMATS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "GIF": "gif"}
SEVERAL_IN_ONE = {"MPO": "JPEG"}
"""What some cameras write: a JPEG that carries more pictures. The first one counts."""
MOST_PIXELS = 25_000_000
TOO_MANY_PIXELS = f"The image has more than {MOST_PIXELS // 1_000_000} megapixels, or is too long for its width."
MOST_IN_A_ROW = 65_535
"""Wide or high, as in a JPEG. A PNG one pixel wide and millions high costs several times what its pixels do."""
MOST_SCANS = 32
"""A progressive JPEG comes in about ten. Each is a pass over the whole picture, and can be as short as 60 bytes."""
START_OF_SCAN, END_OF_IMAGE = 0xDA, 0xD9
WITHOUT_A_LENGTH = {0x00, 0x01, *range(0xD0, 0xD9)}
"""Bytes behind an 0xFF that begin no segment: https://www.w3.org/Graphics/JPEG/itu-t81.pdf, B.1.1.3."""
LONGEST_SIDE = 1024


class NotAnImage(APIException):
    status_code = 415
    default_code = "not_an_image"
    default_detail = "Send a JPEG, PNG, WebP or GIF image."


class BrokenImage(APIException):
    status_code = 400
    default_code = "broken_image"
    default_detail = "This image is damaged. Save it again and send it once more."


class ImageTooLarge(APIException):
    status_code = 413
    default_code = "image_too_large"


def scans(jpeg: bytes) -> int:
    """How many scans the first picture has: what a phone hangs on behind it, such as a film, is not looked at."""
    count, place = 0, 2
    while (place := jpeg.find(b"\xff", place)) >= 0 and place + 1 < len(jpeg):
        marker = jpeg[place + 1]
        if marker == END_OF_IMAGE:
            break
        if marker == 0xFF:
            place += 1
        elif marker in WITHOUT_A_LENGTH:
            place += 2
        else:
            count += marker == START_OF_SCAN
            place += 2 + int.from_bytes(jpeg[place + 2 : place + 4])
    return count


def reencode(file: IO[Any]) -> tuple[bytes, str]:
    """The image at most 1024 px wide and high, upright, without metadata; and its file extension.

    The kind is told by content. The pixels are counted before they are decoded: a small file can hold a huge picture.
    """
    content = file.read()
    try:
        image = Image.open(BytesIO(content), formats=tuple(FORMATS))
    except Image.DecompressionBombError as error:
        raise ImageTooLarge(TOO_MANY_PIXELS) from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise NotAnImage from error
    if image.width * image.height > MOST_PIXELS or max(image.size) > MOST_IN_A_ROW:
        raise ImageTooLarge(TOO_MANY_PIXELS)
    if image.format in ("JPEG", *SEVERAL_IN_ONE) and scans(content) > MOST_SCANS:
        raise BrokenImage
    kind = SEVERAL_IN_ONE.get(image.format or "", image.format or "")
    try:
        return write_anew(image, kind), FORMATS[kind]
    except Exception as error:  # decoders raise what they like on damaged files
        raise BrokenImage from error


def write_anew(image: Image.Image, kind: str) -> bytes:
    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith("I"):  # 16 bits of grey: converting would cut them off, not scale them
        upright = upright.convert("I").point(lambda level: level * (1 / 257)).convert("L")
    picture = upright.convert("RGB" if kind == "JPEG" else "RGBA")
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    clean = Image.new(picture.mode, picture.size)  # without what the opened file carried along
    clean.paste(picture)
    written = BytesIO()
    clean.save(written, format=kind)
    return written.getvalue()
