"""Colours as a browser shows them: those of sRGB, so that a stored picture needs no profile."""

from io import BytesIO

from PIL import Image, ImageCms

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
AS_IN_BROWSERS = ImageCms.Intent.RELATIVE_COLORIMETRIC
MODES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK"}
"""What a profile may be of, in ICC's words and in Pillow's."""


def in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """RGB or RGBA from RGB, RGBA or CMYK. A profile that is broken, or of other colours than the image, is none."""
    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    colours = converted(image, profile) if profile else None
    plain = colours or image.convert("RGB")
    if alpha:
        plain.putalpha(alpha)
    return plain


def converted(image: Image.Image, profile: bytes) -> Image.Image | None:
    try:
        given = ImageCms.ImageCmsProfile(BytesIO(profile))
        mode = MODES[given.profile.xcolor_space]
        if (mode == "CMYK") != (image.mode == "CMYK"):
            return None
        levels = image.getchannel("R") if mode == "L" else image.convert(mode)
        return ImageCms.profileToProfile(levels, given, SRGB, AS_IN_BROWSERS, outputMode="RGB")
    except (ImageCms.PyCMSError, KeyError, OSError, ValueError):
        return None
