"""What only the real adapter meets: Cloudinary's signature, its errors, and a network that fails."""

import pytest

from tests.doubles.cloudinary import error, read_multipart
from tests.doubles.server import Answer, Fault
from uploads.storage import StorageUnavailable, storage


@pytest.fixture
def save(cloudinary_storage):
    return lambda: cloudinary_storage.save(b"the bytes", extension="png")


@pytest.fixture
def double(cloudinary_double):
    return cloudinary_double


def test_the_address_is_the_secure_one(save):
    assert save() == "https://res.cloudinary.com/loopback/image/upload/v1/image1.png"


def test_the_name_says_nothing_about_its_owner(save, double):
    save()
    assert double.names == ["avatar.png"]


def test_the_secret_is_not_sent(save, double):
    save()
    (sent,) = double.requests
    assert b"made up secret" not in sent.body + str(sent.headers).encode()


@pytest.mark.parametrize("name", ["cloudinary_api_key", "cloudinary_api_secret", "cloudinary_api_name"])
def test_wrong_credentials_are_unavailable(cloudinary_storage, double, settings, name):
    settings.STORAGE = {**settings.STORAGE, "OPTIONS": {**settings.STORAGE["OPTIONS"], name: "another"}}
    with pytest.raises(StorageUnavailable):
        storage().save(b"the bytes", extension="png")
    assert double.images == []


@pytest.mark.parametrize("fault", Fault)
def test_a_failing_cloudinary_is_unavailable(save, double, monkeypatch, fault):
    monkeypatch.setattr("uploads.cloudinary_storage.TIMEOUT", 0.1)
    double.fail_next(fault)
    with pytest.raises(StorageUnavailable):
        save()
    assert len(double.requests) == 1


ANSWERS = [
    error(400, "Invalid image file"),
    error(420, "Rate Limit Exceeded"),
    error(503, "Unavailable"),
    Answer(502, "<html>Bad gateway</html>"),
    Answer(200, "<html>Sign in to the network</html>"),
    Answer(200, {}),
    Answer(200, {"secure_url": "javascript:alert(1)"}),
]


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: str(answer.body)[:24])
def test_an_answer_without_an_address_is_unavailable(save, double, answer):
    double.fail_next(answer)
    with pytest.raises(StorageUnavailable):
        save()


def test_past_the_deadline_nothing_is_sent(save, double, past_deadline):
    with pytest.raises(StorageUnavailable):
        save()
    assert double.requests == []


def test_a_call_takes_no_longer_than_the_deadline(save, double, short_deadline):
    double.fail_next(Fault.HANG)
    with pytest.raises(StorageUnavailable):
        save()


def test_nobody_listening_is_unavailable(save, double):
    double.server.shutdown()
    double.server.server_close()
    with pytest.raises(StorageUnavailable):
        save()


def test_a_redirect_is_not_followed_with_the_picture(save, double):
    double.fail_next(Answer(307, {}, {"Location": "/v1_1/loopback/image/upload"}))
    with pytest.raises(StorageUnavailable):
        save()
    assert double.images == []


def test_it_is_deleted_where_it_is_near_to_people_too(save, double, cloudinary_storage):
    save()
    cloudinary_storage.delete("image1")
    assert double.destroyed == ["image1"]
    assert read_multipart(double.requests[-1])[0]["invalidate"] in ("1", "True", "true")


NOT_DELETED = [error(400, "Invalid"), error(503, "Unavailable"), Answer(200, {"result": "error"}), Answer(200, {})]


@pytest.mark.parametrize("answer", NOT_DELETED, ids=lambda answer: f"{answer.status} {answer.body}")
def test_what_it_does_not_say_to_be_deleted_is_not(save, double, cloudinary_storage, answer):
    save()
    double.fail_next(answer)
    with pytest.raises(StorageUnavailable):
        cloudinary_storage.delete("image1")


def test_past_the_deadline_it_is_not_told_to_delete(save, double, cloudinary_storage, past_deadline):
    with pytest.raises(StorageUnavailable):
        cloudinary_storage.delete("image1")
    assert double.requests == []
