"""Makes a picture small before it is converted, in bands, so that no second one of its size is ever in memory."""

from collections.abc import Callable

from PIL import Image

LONGEST_SIDE = 1024
GAP = 2
"""About how many times as large as the result a picture is made by quick ways, before it is resized with care."""
BAND = 1_000_000
"""Pixels that are converted at once."""

Size = tuple[int, int]


def fitted(size: Size) -> Size:
    """The size in which a picture of this one is stored: its proportions, at most 1024 wide and high."""
    longest = max(size)
    if longest <= LONGEST_SIDE:
        return size
    width, height = (max(1, round(side * LONGEST_SIDE / longest)) for side in size)
    return width, height


def shrunk(image: Image.Image, convert: Callable[[Image.Image], Image.Image], size: Size | None = None) -> Image.Image:
    """The picture as `convert` makes it (RGB, RGBA or CMYK), in the size in which it is stored.

    `size` is the result's, where it is not `fitted`.
    """
    target = size or fitted(image.size)
    if image.size == target:
        return convert(image)
    small = reduced(image, convert, step(image.size, target)).resize(target)
    return small.convert("RGBA") if small.mode == "RGBa" else small


def step(size: Size, target: Size) -> int:
    """By how much the sides are divided first: it leaves them one and a half to three times as long as they will be."""
    return max(1, round(max(size) / (GAP * max(target))))


def need(size: Size) -> int:
    """Bytes of memory that shrinking takes on top of the picture: what is divided, and a band."""
    divided = [-(-side // step(size, fitted(size))) for side in size]
    return 4 * (divided[0] * divided[1] + 2 * BAND)


def reduced(image: Image.Image, convert: Callable[[Image.Image], Image.Image], by: int) -> Image.Image:
    """Each square of so many pixels becomes their mean. What is transparent comes multiplied by its alpha (RGBa)."""
    width, height = image.size
    rows = max(1, BAND // width // by) * by
    mode = convert(image.crop((0, 0, 1, 1))).mode.replace("RGBA", "RGBa")
    small = Image.new(mode, (-(-width // by), -(-height // by)))
    for top in range(0, height, rows):
        band = convert(image.crop((0, top, width, min(top + rows, height))))
        small.paste((band if band.mode == mode else band.convert(mode)).reduce(by), (0, top // by))
    return small


def placed(image: Image.Image, frame: tuple[int, int, int, int], canvas: Size) -> Image.Image:
    """A frame (left, top, width, height) that does not fill its canvas, on what is transparent, in the stored size."""
    target = fitted(canvas)
    left, top = (round(place * target[0] / canvas[0]) for place in frame[:2])
    whole = Image.new("RGBA", target)
    whole.paste(image, (left, top))
    return whole


def placed_size(frame: Size, canvas: Size) -> Size:
    """The size that a frame has on its canvas in the stored size."""
    target = fitted(canvas)
    width, height = (max(1, round(side * target[0] / canvas[0])) for side in frame)
    return width, height
