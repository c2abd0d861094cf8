"""What every implementation of Storage does: the real adapter, over HTTP, and the sandbox."""

import pytest

from uploads.storage import storage

BYTES = bytes(range(256)) + b"\r\n--boundary\r\n\r\n" + "é".encode()


@pytest.fixture(autouse=True, params=["sandbox_storage", "cloudinary_storage"])
def store(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def kept(request, store, settings):
    """All images that are kept now."""
    if store.name == "sandbox":
        return lambda: [path.read_bytes() for path in settings.MEDIA_ROOT.iterdir()]
    return lambda: request.getfixturevalue("cloudinary_double").images


def test_the_settings_name_it(store):
    assert storage() is store


@pytest.mark.parametrize("extension", ["jpg", "png", "webp", "gif"])
def test_an_image_gets_an_address(store, extension):
    address = store.save(BYTES, extension=extension)
    assert address.startswith(("https://", "http://localhost"))
    assert address.endswith(f".{extension}")


def test_two_images_get_two_addresses(store):
    assert store.save(BYTES, extension="png") != store.save(BYTES, extension="png")


def test_the_bytes_arrive_unchanged(store, kept):
    store.save(BYTES, extension="png")
    assert kept() == [BYTES]


@pytest.mark.parametrize(
    "content", [b"/etc/passwd", b"https://example.com/a.png", b"data:image/png;base64,AAAA", b"C:\\a.png", b"s3://a/b"]
)
def test_bytes_are_never_taken_for_a_path_or_an_address(store, kept, content):
    store.save(content, extension="png")
    assert kept() == [content]


def test_a_large_image_arrives_whole(store, kept):
    content = BYTES * 16_000  # 4.4 MB
    store.save(content, extension="jpg")
    assert kept() == [content]
