"""The door to `pictures/`: a picture is drawn in a process of its own, one at a time.

A decoder is large and is fed by strangers. There it has no keys, no more memory than the kernel grants it, and when it
ends all that it took is free again; if it dies, no request dies with it.
"""

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock
from typing import IO, Any

from rest_framework.exceptions import APIException

from uploads.pictures.refusals import Refusal

logger = logging.getLogger(__name__)

COMMAND = (sys.executable, "-B", "-m", "uploads.pictures")  # -B: on a full disk it would leave half its bytecode
PASSED_ON = ("LD_LIBRARY_PATH", "PATH")
WAIT = 5.0
"""Seconds that an upload waits for those of its own process, and then for those of others."""
MOST_SECONDS = 15.0
"""For one picture, as the clock counts, those that it waits for others included."""

places = BoundedSemaphore(4)
"""One upload that is drawn and three that wait: the other threads are for everybody else."""
turn = Lock()


class NotAnImage(APIException):
    status_code = 415
    default_code = "not_an_image"
    default_detail = "Send a JPEG, PNG, WebP, GIF, HEIC or AVIF image."


class HeicNotRead(NotAnImage):
    default_detail = (
        "This server cannot read HEIC. Send the photo as a JPEG: on an iPhone, choose Settings, Camera, Formats, "
        "Most Compatible for new photos, or share a photo with Options set to Most Compatible."
    )


class BrokenImage(APIException):
    status_code = 400
    default_code = "broken_image"
    default_detail = "This image is damaged. Save it again and send it once more."


class ImageTooLarge(APIException):
    status_code = 413
    default_code = "image_too_large"
    default_detail = "The image has more than 25 megapixels, or is too long for its width."


class ImageTooCostly(ImageTooLarge):
    default_detail = "The server has not enough memory for so large an image. Make it smaller and send it once more."


class UploadsBusy(APIException):
    status_code = 503
    default_code = "uploads_busy"
    default_detail = "Many images are arriving just now. Send this one again in a few seconds."
    wait = 5


REFUSALS = {
    Refusal.NOT_A_PICTURE: NotAnImage,
    Refusal.UNREAD_HEIC: HeicNotRead,
    Refusal.DAMAGED: BrokenImage,
    Refusal.TOO_MANY_PIXELS: ImageTooLarge,
    Refusal.TOO_MUCH_MEMORY: ImageTooCostly,
    Refusal.BUSY: UploadsBusy,
}


def reencode(file: IO[Any]) -> tuple[bytes, str]:
    """The image at most 1024 px wide and high, upright, in sRGB, without metadata; and its file extension.

    Raises one of the above.
    """
    with one_at_a_time():
        word, _, picture = answer(file.read()).partition(b"\n")
    if word.decode() in REFUSALS:
        raise REFUSALS[Refusal(word.decode())]
    return picture, word.decode()


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Raises UploadsBusy, after five seconds, or at once where enough are waiting."""
    if not places.acquire(blocking=False):
        raise UploadsBusy
    try:
        if not turn.acquire(timeout=WAIT):
            raise UploadsBusy
        try:
            yield
        finally:
            turn.release()
    finally:
        places.release()


def answer(content: bytes) -> bytes:
    """What the child writes. It gets none of our environment, for our keys are in there."""
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    try:
        child = subprocess.run(  # noqa: S603  # a command of ours
            (*COMMAND, str(WAIT)),
            input=content,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            timeout=MOST_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ImageTooCostly from None
    except OSError as error:
        logger.warning("No process for a picture: %s", type(error).__name__)
        raise UploadsBusy from error
    if child.returncode:
        raise fallen(child.returncode)
    return child.stdout


def fallen(status: int) -> APIException:
    """A child that did not end by itself. The kernel kills it for memory, or for the processor's time."""
    logger.warning("A picture's process ended with %s", status)
    return ImageTooCostly() if status in (-signal.SIGKILL, -signal.SIGXCPU) else BrokenImage()
