import ctypes
from contextlib import suppress
from importlib import import_module

from django.apps import AppConfig

M_MMAP_THRESHOLD = -3
LARGE = 256 * 1024


class UploadsConfig(AppConfig):
    name = "uploads"
    verbose_name = "Images"

    def ready(self) -> None:
        """Larger blocks go back to the system when they are freed, as they do before the first upload.

        Left alone, glibc learns from each upload to keep its like, in every thread: 140 MB in two processes. Other
        C libraries have no such switch. https://man7.org/linux/man-pages/man3/mallopt.3.html
        """
        import_module("uploads.receivers").connect()
        with suppress(AttributeError, OSError):
            ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, LARGE)
