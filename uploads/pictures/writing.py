"""A fresh file of nothing but pixels."""

from io import BytesIO

from PIL import Image

EXTENSIONS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "GIF": "gif"}
COLOURS_OF_A_GIF = 256
VISIBLE = 128
"""A GIF's pixels are there or not: from this alpha on they are."""


def written(image: Image.Image, kind: str) -> tuple[bytes, str]:
    """The file and its extension. What may be transparent is no JPEG."""
    if kind == "GIF":
        return saved(image if image.mode in ("P", "L") else in_few_colours(image), kind)
    if image.mode == "RGBA" and image.getchannel("A").getextrema() == (255, 255):
        image = image.convert("RGB")
    return saved(image, "PNG" if kind == "JPEG" and image.mode == "RGBA" else kind)


def saved(image: Image.Image, kind: str) -> tuple[bytes, str]:
    """Nothing that the image carries along is saved, but a palette and which of its colours is transparent."""
    clean = Image.frombytes(image.mode, image.size, image.tobytes())
    options = {}
    if palette := image.getpalette():
        clean.putpalette(palette)
    if kind == "GIF" and (clear := image.info.get("transparency")) is not None:
        options["transparency"] = clear
    file = BytesIO()
    clean.save(file, format=kind, **options)
    return file.getvalue(), EXTENSIONS[kind]


def in_few_colours(image: Image.Image) -> Image.Image:
    """The 256 that suit it best: greys as they are, and one that is transparent where one is needed."""
    colours = image.convert("RGB")
    is_clear = image.mode == "RGBA" and any(image.getchannel("A").histogram()[:VISIBLE])
    if not is_clear and is_grey(colours):
        return colours.convert("L")
    few = colours.quantize(COLOURS_OF_A_GIF - is_clear, Image.Quantize.MEDIANCUT)
    if is_clear:
        clear = len(few.getpalette() or ()) // 3
        few.paste(clear, mask=image.getchannel("A").point([255 * (alpha < VISIBLE) for alpha in range(256)]))
        few.putpalette([*(few.getpalette() or ()), 0, 0, 0])
        few.info["transparency"] = clear
    return few


def is_grey(image: Image.Image) -> bool:
    red, green, blue = (plane.tobytes() for plane in image.split())
    return red == green == blue
