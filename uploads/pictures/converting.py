"""Pixels as a browser shows them, from any way in which they are kept."""

from PIL import Image, ImageChops

Key = tuple[int, ...]
"""A level of each plane, or ()."""


def converted(band: Image.Image, key: Key = ()) -> Image.Image:
    """RGB, or RGBA where something may be transparent: what is so itself, or has the levels of the key."""
    if band.mode == "I;16":
        return sixteen_bits(band, key)
    if band.mode == "P":
        return band.convert("RGBA" if "transparency" in band.info else "RGB")
    if band.mode in ("LA", "RGBA"):
        return band.convert("RGBA")
    plain = band.convert("L" if band.mode == "1" else band.mode)
    return keyed(plain.convert("RGB"), plain.split(), key)


def sixteen_bits(band: Image.Image, key: Key) -> Image.Image:
    """Of each grey the higher byte is shown. Which one is transparent is told by both."""
    content = band.tobytes()
    low, high = (Image.frombytes("L", band.size, content[byte::2]) for byte in (0, 1))
    return keyed(high.convert("RGB"), (low, high), key and (key[0] & 255, key[0] >> 8))


def keyed(image: Image.Image, planes: tuple[Image.Image, ...], key: Key) -> Image.Image:
    """The image, transparent where each plane has the level that the key says."""
    if not key:
        return image
    other = Image.new("L", image.size)
    for plane, level in zip(planes, key, strict=True):
        other = ImageChops.lighter(other, plane.point([0 if each == level else 255 for each in range(256)]))
    image.putalpha(other)
    return image
