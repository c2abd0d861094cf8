"""Images without an account: Django's file storage, served under /media/."""

from uuid import uuid4

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage


class SandboxStorage:
    name = "sandbox"

    def save(self, content: bytes, *, extension: str) -> str:
        name = default_storage.save(f"{uuid4().hex}.{extension}", ContentFile(content))
        return default_storage.url(name)
