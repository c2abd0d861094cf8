"""The decoder behind Pillow's, asked for a small picture at once. https://developers.google.com/speed/webp/docs/api

Pillow asks it for the whole picture and keeps that four times, which is 400 MB for 25 megapixels; this is one at most.
"""

import ctypes
from functools import cache

from PIL import Image, _webp

ABI = 0x0200
"""decode.h's WEBP_DECODER_ABI_VERSION, of which the library compares the higher byte."""
RGBA, OK = 1, 0


class Features(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int) for name in ("width", "height", "has_alpha", "has_animation", "format")),
        ("pad", ctypes.c_uint32 * 5),
    ]


class RGBABuffer(ctypes.Structure):
    _fields_ = [("rgba", ctypes.c_void_p), ("stride", ctypes.c_int), ("size", ctypes.c_size_t)]


class YUVABuffer(ctypes.Structure):
    _fields_ = [("planes", ctypes.c_void_p * 4), ("strides", ctypes.c_int * 4), ("sizes", ctypes.c_size_t * 4)]


class Pixels(ctypes.Union):
    _fields_ = [("rgba", RGBABuffer), ("yuva", YUVABuffer)]


class Output(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int) for name in ("colorspace", "width", "height", "is_external_memory")),
        ("pixels", Pixels),
        ("pad", ctypes.c_uint32 * 4),
        ("private_memory", ctypes.c_void_p),
    ]


class Options(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int) for name in ("bypass_filtering", "no_fancy_upsampling", "use_cropping")),
        *((name, ctypes.c_int) for name in ("crop_left", "crop_top", "crop_width", "crop_height")),
        *((name, ctypes.c_int) for name in ("use_scaling", "scaled_width", "scaled_height", "use_threads")),
        *((name, ctypes.c_int) for name in ("dithering_strength", "flip", "alpha_dithering_strength")),
        ("pad", ctypes.c_uint32 * 5),
    ]


class Config(ctypes.Structure):
    _fields_ = [("input", Features), ("output", Output), ("options", Options)]


@cache
def library() -> ctypes.CDLL | None:
    """libwebp as Pillow has loaded it; None where that keeps it to itself."""
    loaded = ctypes.CDLL(_webp.__file__)
    try:
        loaded.WebPDecode.argtypes = (ctypes.c_char_p, ctypes.c_size_t, ctypes.POINTER(Config))
        loaded.WebPInitDecoderConfigInternal.argtypes = (ctypes.POINTER(Config), ctypes.c_int)
    except AttributeError:
        return None
    return loaded if loaded.WebPInitDecoderConfigInternal(ctypes.byref(Config()), ABI) else None


def decode(webp: ctypes.CDLL, still: bytes, size: tuple[int, int]) -> Image.Image:
    """RGBA of this size. Raises ValueError where it cannot be decoded."""
    config, (width, height) = Config(), size
    webp.WebPInitDecoderConfigInternal(ctypes.byref(config), ABI)
    pixels = ctypes.create_string_buffer(4 * width * height)
    config.output.colorspace, config.output.is_external_memory = RGBA, 1
    config.output.pixels.rgba = RGBABuffer(ctypes.addressof(pixels), 4 * width, len(pixels))
    config.options.use_scaling, config.options.scaled_width, config.options.scaled_height = 1, width, height
    if (status := webp.WebPDecode(still, len(still), ctypes.byref(config))) != OK:
        raise ValueError(f"libwebp's status {status}")
    return Image.frombytes("RGBA", size, pixels.raw)
