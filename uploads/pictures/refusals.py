"""Why a picture is not drawn."""

from enum import StrEnum


class Refusal(StrEnum):
    """What the child says to its parent."""

    NOT_A_PICTURE = "not_a_picture"
    """None of the formats that are read, or cut off before its pixels end."""
    UNREAD_HEIC = "unread_heic"
    """A HEIC, where pillow-heif is not installed."""
    DAMAGED = "damaged"
    """Its pixels cannot be decoded."""
    TOO_MANY_PIXELS = "too_many_pixels"
    """More than 25 megapixels, or too long for its width."""
    TOO_MUCH_MEMORY = "too_much_memory"
    """Decoding it takes more memory than one picture may take, or than there is."""
    BUSY = "busy"
    """Those of other processes took too long."""


class RefusedPictureError(Exception):
    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)
        self.refusal = refusal
