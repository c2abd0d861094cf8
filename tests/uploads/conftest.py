"""Uploads through the door, and what then stands behind the link."""

from io import BytesIO
from urllib.parse import urlsplit

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

PATH = "/api/upload"


@pytest.fixture(autouse=True)
def _media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def upload(api, db):
    def upload(content, field="image", name="photo.png"):
        return api.post(PATH, {field: SimpleUploadedFile(name, content)}, format="multipart")

    return upload


@pytest.fixture
def stored(api):
    def stored(answer):
        """The image behind the link."""
        assert (answer.status_code, list(answer.json())) == (200, ["message", "image"]), answer.content
        served = api.get(urlsplit(answer.json()["image"]).path)
        return Image.open(BytesIO(b"".join(served.streaming_content)))

    return stored


@pytest.fixture
def redrawn(upload, stored):
    """What becomes of a file."""
    return lambda content: stored(upload(content))
