"""What the reader of a format finds in a file."""

from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from uploads.pictures.refusals import Refusal, RefusedPictureError

MOST_PIXELS = 25_000_000
Image.MAX_IMAGE_PIXELS = None  # Pillow's own is higher, and a warning at first
MOST_IN_A_ROW = 65_535
"""Wide or high, as in a JPEG. A PNG one pixel wide and millions high costs several times what its pixels do."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A file of which everything but the pixels has been taken off: a fault in the rest must not cost the picture."""

    kind: str
    """Pillow's name of the format in which it is stored."""
    size: tuple[int, int]
    need: int
    """Bytes of memory that `decode` takes on top of the file."""
    decode: Callable[[], Image.Image]
    """At most 1024 pixels wide and high; RGB, RGBA or CMYK, and from a GIF also P or L. Raises what decoders raise."""
    orientation: int = 1
    """As in EXIF: https://www.cipa.jp/std/documents/e/DC-X008-Translation-2019-E.pdf, tag 0x0112."""
    profile: bytes | None = None
    """The ICC profile of its colours, unproven; none means sRGB."""

    def __post_init__(self) -> None:
        """Refuses too many pixels before anything is decoded: a small file can hold a huge picture."""
        if self.size[0] * self.size[1] > MOST_PIXELS or max(self.size) > MOST_IN_A_ROW:
            raise RefusedPictureError(Refusal.TOO_MANY_PIXELS)
