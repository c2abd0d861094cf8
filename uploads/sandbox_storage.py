"""Images without an account: Django's file storage, served under /media/."""

import logging
from uuid import uuid4

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from uploads.storage import StorageFull, StorageUnavailable

logger = logging.getLogger(__name__)


class SandboxStorage:
    name = "sandbox"

    def save(self, content: bytes, *, extension: str) -> str:
        """Where the folder is full, or cannot be written, nothing stays behind."""
        name = f"{uuid4().hex}.{extension}"
        try:
            return default_storage.url(default_storage.save(name, ContentFile(content)))
        except OSError as error:
            logger.error("The media folder cannot be written: %s", type(error).__name__)
            self.forget(name)
            raise StorageFull from error

    def name_of(self, address: str) -> str | None:
        return address.removeprefix(settings.MEDIA_URL)

    def delete(self, name: str) -> None:
        try:
            default_storage.delete(name)
        except OSError as error:
            logger.error("The media folder cannot be written: %s", type(error).__name__)
            raise StorageUnavailable from error

    def forget(self, name: str) -> None:
        try:
            default_storage.delete(name)
        except OSError as error:
            logger.error("A file without its content stays in the media folder: %s", type(error).__name__)
