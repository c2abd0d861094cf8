"""A file's name is not needed, and no reason to refuse what is in it."""

import pytest

from tests.uploads.conftest import PATH
from tests.uploads.files import picture
from uploads.parsing import renamed

END = b"\r\n--b--\r\n"


@pytest.fixture
def send(api, db):
    """Posts one part with this disposition."""

    def send(disposition, content, other=b""):
        body = b"--b\r\nContent-Disposition: form-data; " + disposition + b"\r\n\r\n" + content + other + END
        return api.generic("POST", PATH, body, content_type="multipart/form-data; boundary=b")

    return send


NAMES = {
    "latin-1": b'filename="caf\xe9.png"',
    "two dots": b'filename=".."',
    "one dot": b'filename="."',
    "a slash at its end": b'filename="photos/"',
    "a backslash at its end": b'filename="photos\\\\"',
    "nothing": b'filename=""',
    "no quotes": b"filename=..",
    "a quote inside": b'filename="a\\"; b.."',
    "an unknown encoding": b"filename*=nonsense''a.png",
    "an encoding that does not fit": b"filename*=utf-8''%ff",
    "two of them": b"filename=\"caf\xe9\"; filename*=UTF-8''caf%C3%A9",
    "500 letters": b'filename="' + b"a" * 500 + b'"',
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("order", [b'name="image"; %s', b'%s; name="image"'])
def test_a_picture_is_taken_whatever_it_is_called(send, name, order):
    answer = send(order % NAMES[name], picture())
    assert answer.status_code == 200, answer.content


def test_so_it_is_beside_a_file_with_a_usual_name(send):
    usual = b'--b\r\nContent-Disposition: form-data; name="other"; filename="a.png"\r\n\r\nother'
    answer = send(b'name="image"; filename=".."', picture(), other=b"\r\n" + usual)
    assert answer.status_code == 200, answer.content


def test_an_empty_file_is_one_whatever_it_is_called(send):
    assert send(b'name="image"; filename=".."', b"").json()["code"] == "not_an_image"


def test_a_file_of_another_field_stays_one(send):
    answer = send(b'name="avatar"; filename=".."', picture())
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "image")


def test_no_file_chosen_is_no_file(send):
    answer = send(b'name="image"; filename=""', b"")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "image")


def test_no_file_chosen_is_none_either_where_its_last_line_break_is_missing():
    body = b'--b\r\nContent-Disposition: form-data; name="image"; filename=""\r\n\r\n' + END.removeprefix(b"\r\n")
    assert renamed(body, b"b") == body


def test_what_looks_like_a_part_inside_the_picture_stays(send):
    inside = b'\r\n--c\r\nContent-Disposition: form-data; name="image"; filename=".."\r\n\r\n'
    body = b'--b\r\nContent-Disposition: form-data; name="image"; filename=".."\r\n\r\n' + inside + END
    assert renamed(body, b"b").endswith(inside + END)


def test_a_body_of_ordinary_names_is_not_copied():
    body = b'--b\r\nContent-Disposition: form-data; name="image"; filename="IMG 0042 (1).jpg"\r\n\r\nabc' + END
    assert renamed(body, b"b") is body
