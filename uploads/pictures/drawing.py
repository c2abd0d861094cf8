"""A stranger's file becomes a picture of ours."""

import os

from PIL import Image

from uploads.pictures import gif, heif, jpeg, png, webp
from uploads.pictures.colours import in_srgb
from uploads.pictures.limits import LOCK, make_room
from uploads.pictures.picture import Picture
from uploads.pictures.refusals import Refusal, RefusedPictureError
from uploads.pictures.writing import written

Turn = Image.Transpose
UPRIGHT = {
    2: Turn.FLIP_LEFT_RIGHT,
    3: Turn.ROTATE_180,
    4: Turn.FLIP_TOP_BOTTOM,
    5: Turn.TRANSPOSE,
    6: Turn.ROTATE_270,
    7: Turn.TRANSVERSE,
    8: Turn.ROTATE_90,
}


def redrawn(content: bytes, *, wait: float) -> tuple[bytes, str]:
    """The picture at most 1024 px wide and high, upright, in sRGB, without metadata; and its file extension.

    The kind is told by content. For those of other processes it waits so many seconds. Raises a RefusedPictureError.
    """
    picture = read(content)
    make_room(picture.need, lock=os.open(LOCK, os.O_RDONLY), wait=wait)
    try:
        return drawn(picture)
    except MemoryError:
        raise RefusedPictureError(Refusal.TOO_MUCH_MEMORY) from None
    except Exception as error:  # decoders raise what they like on damaged files
        raise RefusedPictureError(Refusal.DAMAGED) from error


def read(content: bytes) -> Picture:
    if content.startswith(jpeg.SIGNATURE):
        return jpeg.read(content)
    if content.startswith(png.SIGNATURE):
        return png.read(content)
    if content.startswith(gif.SIGNATURES):
        return gif.read(content)
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return webp.read(content)
    if heif.accepts(content):
        return heif.read(content)
    raise RefusedPictureError(Refusal.NOT_A_PICTURE)


def drawn(picture: Picture) -> tuple[bytes, str]:
    image = picture.decode()
    if image.mode in ("P", "L"):  # a GIF that keeps its colours
        return written(image, picture.kind)
    turn = UPRIGHT.get(picture.orientation)
    upright = image if turn is None else image.transpose(turn)
    return written(in_srgb(upright, picture.profile), picture.kind)
