"""Reads a picture at standard input. Writes its extension, a line end and the new file; or a refusal's word alone.

Its argument: the seconds that it may wait for pictures of other processes.
"""

import sys
import warnings

from uploads.pictures.drawing import redrawn
from uploads.pictures.limits import bind
from uploads.pictures.refusals import Refusal, RefusedPictureError


def answer(content: bytes, *, wait: float) -> bytes:
    try:
        picture, extension = redrawn(content, wait=wait)
    except MemoryError:
        return Refusal.TOO_MUCH_MEMORY.encode()
    except RefusedPictureError as refused:
        return refused.refusal.encode()
    return extension.encode() + b"\n" + picture


if __name__ == "__main__":
    bind()
    warnings.simplefilter("ignore")  # they are about the picture, and nobody reads them
    sys.stdout.buffer.write(answer(sys.stdin.buffer.read(), wait=float(sys.argv[1])))
