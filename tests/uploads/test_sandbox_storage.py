"""What only the sandbox meets: a folder that has no room."""

import resource

import pytest

from tests.uploads.files import picture
from uploads.sandbox_storage import SandboxStorage
from uploads.storage import StorageUnavailable


@pytest.fixture
def full(monkeypatch):
    """No file may be longer than 50 bytes: the kernel then writes these, and refuses the rest."""
    monkeypatch.setattr("sys.dont_write_bytecode", True)  # or half a module would stay
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_folder_is_told_in_words_and_keeps_nothing(upload, full, tmp_path):
    answer = upload(picture())
    assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (503, "storage_unavailable", "60")
    assert answer.json()["detail"] == "The server has no room to keep the image. Nothing was kept; try again later."
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made_is_unavailable(settings, tmp_path, caplog):
    settings.MEDIA_ROOT = tmp_path / "file" / "media"
    (tmp_path / "file").touch()
    with pytest.raises(StorageUnavailable):
        SandboxStorage().save(b"the bytes", extension="png")
    assert "The media folder cannot be written: NotADirectoryError" in caplog.messages


def test_what_cannot_be_deleted_is_not_taken_for_deleted(settings, tmp_path, caplog):
    settings.MEDIA_ROOT = tmp_path / "file"
    (tmp_path / "file").touch()
    with pytest.raises(StorageUnavailable):
        SandboxStorage().delete("me.png")
    assert "The media folder cannot be written: NotADirectoryError" in caplog.messages
