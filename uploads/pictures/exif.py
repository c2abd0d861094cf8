"""The one thing of EXIF that pixels need. It is read by hand: a library refuses the whole block for one bad entry."""

import struct

ORIENTATION, SHORT = 0x0112, 3
BYTE_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}


def orientation(exif: bytes) -> int:
    """1 to 8, or 1 where nothing readable says so. https://www.loc.gov/preservation/digital/formats/fdd/fdd000146.shtml"""
    tiff = exif.removeprefix(b"Exif\0\0")
    order = BYTE_ORDERS.get(tiff[:4])
    if order is None or len(tiff) < 10:
        return 1
    (start,) = struct.unpack_from(order + "I", tiff, 4)
    (count,) = struct.unpack(order + "H", tiff[start : start + 2].ljust(2, b"\0"))
    entries = tiff[start + 2 : start + 2 + 12 * count]
    for place in range(0, len(entries) - 11, 12):
        tag, kind, _, value = struct.unpack_from(order + "HHIH", entries, place)
        if (tag, kind) == (ORIENTATION, SHORT) and 1 <= value <= 8:
            return int(value)
    return 1
