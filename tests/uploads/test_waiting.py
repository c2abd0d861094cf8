"""Uploads at once: one of a process is decoded, few wait, and a large picture is alone on the machine."""

import fcntl
import sys
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from threading import Barrier

import pytest

from tests.uploads.files import picture
from uploads import images
from uploads.pictures import limits
from uploads.pictures.refusals import RefusedPictureError


def child(script):
    """A decoder that does this instead."""
    return (sys.executable, "-c", script)


def assert_busy(answer):
    assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (503, "uploads_busy", "5")
    assert "again in a few seconds" in answer.json()["detail"]


ALONE = """
import pathlib, sys, time
mark = pathlib.Path(sys.argv[1])
mark.touch(exist_ok=False)
time.sleep(0.1)
mark.unlink()
print("png")
"""


def test_of_ten_at_once_one_is_decoded_at_a_time(monkeypatch, tmp_path):
    """A second one would find the first one's mark, and fail."""
    monkeypatch.setattr(images, "COMMAND", (*child(ALONE), str(tmp_path / "mark")))
    start = Barrier(10)

    def upload(_):
        start.wait()
        try:
            return images.reencode(BytesIO())[1]
        except images.UploadsBusy:
            return "busy"

    with ThreadPoolExecutor(10) as people:
        answers = list(people.map(upload, range(10)))
    assert set(answers) == {"png", "busy"}
    assert answers.count("png") >= 4


def test_what_waits_too_long_is_told_to_come_again(upload, monkeypatch):
    with monkeypatch.context() as impatient, images.turn:
        impatient.setattr(images, "WAIT", 0.05)
        assert_busy(upload(picture()))
    assert upload(picture()).status_code == 200


def test_where_enough_are_waiting_nobody_waits(upload, monkeypatch):
    monkeypatch.setattr(images, "WAIT", 60)
    held = 0
    while images.places.acquire(blocking=False):
        held += 1
    try:
        with images.turn:
            assert_busy(upload(picture()))
    finally:
        images.places.release(held)
    assert held == 4


@pytest.fixture
def make_room(monkeypatch, tmp_path):
    """Asks for room while another process decodes, as the lock that it took says."""
    monkeypatch.setattr(limits, "grant", lambda *_: None)
    file = tmp_path / "lock"
    file.touch()

    def make_room(need, *, beside):
        with file.open() as theirs, file.open() as ours:
            fcntl.flock(theirs, beside)
            limits.make_room(need, lock=ours.fileno(), wait=0.05)

    return make_room


@pytest.mark.parametrize(
    ("beside", "need"),
    [(fcntl.LOCK_EX, limits.MOST_NEED), (fcntl.LOCK_EX, 1), (fcntl.LOCK_SH, limits.MOST_NEED)],
    ids=["large beside large", "small beside large", "large beside small"],
)
def test_a_large_picture_is_alone(make_room, beside, need):
    with pytest.raises(RefusedPictureError, match="busy"):
        make_room(need, beside=beside)


def test_small_pictures_are_side_by_side(make_room):
    make_room(limits.SIDE_BY_SIDE, beside=fcntl.LOCK_SH)


SAID = {
    "not_a_picture": (415, "not_an_image"),
    "unread_heic": (415, "not_an_image"),
    "damaged": (400, "broken_image"),
    "too_many_pixels": (413, "image_too_large"),
    "too_much_memory": (413, "image_too_large"),
    "busy": (503, "uploads_busy"),
}


@pytest.mark.parametrize("word", SAID)
def test_what_the_decoder_says_is_told_in_words(upload, monkeypatch, word):
    monkeypatch.setattr(images, "COMMAND", child(f"print('{word}', end='')"))
    answer = upload(picture())
    assert (answer.status_code, answer.json()["code"]) == SAID[word]
    assert answer.json()["detail"].endswith((".", "Most Compatible."))


FALLEN = {
    "by the kernel, for memory": ("import os; os.kill(os.getpid(), 9)", 413),
    "by the kernel, for time": ("import os, signal; os.kill(os.getpid(), signal.SIGXCPU)", 413),
    "by a fault in a library": ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", 400),
    "by an exception": ("raise ValueError", 400),
    "by the clock": ("import time; time.sleep(60)", 413),
}


@pytest.mark.parametrize("name", FALLEN)
def test_a_decoder_that_falls_takes_no_request_with_it(upload, monkeypatch, name):
    script, status = FALLEN[name]
    monkeypatch.setattr(images, "COMMAND", child(script))
    monkeypatch.setattr(images, "MOST_SECONDS", 0.3 if "clock" in name else 30)
    assert upload(picture()).status_code == status


def test_no_process_for_a_decoder_is_told_in_words(upload, monkeypatch):
    monkeypatch.setattr(images, "COMMAND", ("/nowhere/python",))
    assert_busy(upload(picture()))


def test_a_decoder_has_none_of_the_servers_secrets(monkeypatch):
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_made_up")
    monkeypatch.setattr(images, "COMMAND", child("import os; print(dict(os.environ))"))
    assert b"sk_test" not in images.answer(b"")
    assert b"PYTHONPATH" in images.answer(b"")
