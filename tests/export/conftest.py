"""What an export holds, as its reader sees it; and the world of somebody of whom something is kept everywhere."""

import json
from io import BytesIO
from zipfile import ZipFile

import pytest

from tests.billing.conftest import send  # noqa: F401  # a fixture
from tests.users.deletion.conftest import known, vendors, zdenka  # noqa: F401  # fixtures
from tests.voice.conftest import committed, tell, twilio  # noqa: F401  # fixtures


def unpacked(content):
    """The tables by their name, and the words that go with them."""
    with ZipFile(BytesIO(content)) as archive:
        assert archive.testzip() is None
        files = {name: archive.read(name).decode() for name in archive.namelist()}
    words = files.pop("README.txt")
    return {name.removesuffix(".json"): json.loads(text) for name, text in files.items()}, words


@pytest.fixture
def export(api):
    """The whole export of a person."""
    return lambda user: unpacked(api.get(f"/api/users/{user.pk}/export").content)
