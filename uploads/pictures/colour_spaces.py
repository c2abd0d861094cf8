"""ICC profiles of colour spaces that a file only names or measures. https://www.color.org/specification/ICC.1-2022-05.pdf"""

import struct
from collections.abc import Sequence

D65 = (0.3127, 0.3290)
SRGB = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
PRIMARIES = {9: (0.708, 0.292, 0.170, 0.797, 0.131, 0.046), 12: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060)}
"""BT.2020 and Display P3, by their number: https://www.itu.int/rec/T-REC-H.273, table 2."""
AS_BRIGHT_AS_SRGB = {1, 2, 6, 13, 14, 15}
"""Transfer functions that browsers show like sRGB's. PQ and HLG hold more light than a JPEG can."""
SRGB_CURVE = b"para" + bytes(4) + struct.pack(">HH5i", 3, 0, 157286, 62119, 3417, 5072, 2651)
ORDINARY_GAMMA = 0.45455
BRADFORD = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))
D50 = (0.9642, 1.0, 0.8249)

Row = tuple[float, float, float]
Matrix = tuple[Row, Row, Row]


def coded(primaries: int, transfer: int) -> bytes | None:
    """The profile of a space that H.273 numbers; None for sRGB, and for what cannot be shown as it is meant."""
    if primaries not in PRIMARIES or transfer not in AS_BRIGHT_AS_SRGB:
        return None
    return matrix_profile(D65, PRIMARIES[primaries], SRGB_CURVE)


def measured(*, gamma: float | None, corners: Sequence[float] | None) -> bytes | None:
    """The profile of a PNG's gAMA and cHRM (white, red, green, blue; x and y each); None for what is nearly sRGB."""
    is_ordinary = gamma is None or not 0.01 < gamma < 10 or abs(gamma - ORDINARY_GAMMA) < 0.05 * ORDINARY_GAMMA
    white, colours = (tuple(corners[:2]), tuple(corners[2:])) if corners else (D65, SRGB)
    is_srgb = all(abs(a - b) < 0.005 for a, b in zip((*white, *colours), (*D65, *SRGB), strict=True))
    if gamma is None or (is_ordinary and is_srgb):
        return None
    curve = SRGB_CURVE if is_ordinary else b"curv" + bytes(4) + struct.pack(">IH", 1, min(65_535, round(256 / gamma)))
    try:
        return matrix_profile(white, colours, curve)
    except (ArithmeticError, struct.error):  # corners on one line, or out of this world
        return None


def matrix_profile(white: Sequence[float], colours: Sequence[float], curve: bytes) -> bytes:
    """Lights that add up to this white, as a profile says them: adapted to D50."""
    columns = [xyz(*colours[place : place + 2]) for place in (0, 2, 4)]
    light = xyz(*white)
    amounts = applied(inverse(transposed(columns)), light)
    mixed = [
        applied(adaptation(light), [part * amount for part in each])
        for each, amount in zip(columns, amounts, strict=True)
    ]
    lights = zip((b"rXYZ", b"gXYZ", b"bXYZ", b"wtpt"), [*mixed, D50], strict=True)
    tags = {
        name: b"XYZ " + bytes(4) + struct.pack(">3i", *(round(part * 65_536) for part in each)) for name, each in lights
    }
    return icc(tags | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve))


def icc(tags: dict[bytes, bytes]) -> bytes:
    """A display profile of version 4 with these tags."""
    table, data, start = b"", b"", 132 + 12 * len(tags)
    for name, content in tags.items():
        table += name + struct.pack(">2I", start + len(data), len(content))
        data += content + bytes(-len(content) % 4)
    kind = struct.pack(">I", 0x04300000) + b"mntrRGB XYZ " + bytes(12) + b"acsp"
    head = (bytes(8) + kind).ljust(68, b"\0") + struct.pack(">3i", *(round(part * 65_536) for part in D50))
    whole = head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + data
    return struct.pack(">I", len(whole)) + whole[4:]


def xyz(x: float, y: float) -> Row:
    return x / y, 1.0, (1 - x - y) / y


def adaptation(light: Row) -> Matrix:
    """How colours under this light look under D50, as Bradford found."""
    cones = [a / b for a, b in zip(applied(BRADFORD, D50), applied(BRADFORD, light), strict=True)]
    scaled = [[part * factor for part in row] for row, factor in zip(BRADFORD, cones, strict=True)]
    return transposed([applied(inverse(BRADFORD), column) for column in transposed(scaled)])


def applied(matrix: Matrix, column: Sequence[float]) -> Row:
    a, b, c = (sum(part * each for part, each in zip(row, column, strict=True)) for row in matrix)
    return a, b, c


def transposed(matrix: Sequence[Sequence[float]]) -> Matrix:
    a, b, c = zip(*matrix, strict=True)
    return a, b, c


def inverse(matrix: Matrix) -> Matrix:
    (a, b, c), (d, e, f), (g, h, i) = matrix
    one, two, three = e * i - f * h, f * g - d * i, d * h - e * g
    whole = a * one + b * two + c * three
    return (
        (one / whole, (c * h - b * i) / whole, (b * f - c * e) / whole),
        (two / whole, (a * i - c * g) / whole, (c * d - a * f) / whole),
        (three / whole, (b * g - a * h) / whole, (a * e - b * d) / whole),
    )
