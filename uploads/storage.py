"""Where images are kept. `cloudinary_storage.py` and `sandbox_storage.py` are two of it."""

from typing import Protocol

from django.conf import settings
from rest_framework.exceptions import APIException

from core.vendors import vendor


class Storage(Protocol):
    name: str

    def save(self, content: bytes, *, extension: str) -> str:
        """Keeps an image for good; the address under which anybody can see it."""

    def name_of(self, address: str) -> str | None:
        """What the image is called here of which `save` gave this address; None where that does not say it."""

    def delete(self, name: str) -> None:
        """Deletes an image for good. One that is not there is as good as deleted. Raises StorageUnavailable."""


class StorageUnavailable(APIException):
    status_code = 503
    default_code = "storage_unavailable"
    default_detail = "The image service does not answer. Try again."
    wait = 10


class StorageFull(StorageUnavailable):
    default_detail = "The server has no room to keep the image. Nothing was kept; try again later."
    wait = 60


def storage() -> Storage:
    """The implementation that the settings name. Raises NotConfigured where there is none."""
    off = f"Uploads are switched off here: the operator must set {', '.join(settings.CLOUDINARY_NAMES)}."
    backend: Storage = vendor(settings.STORAGE, off=off)
    return backend
