import pytest

pytestmark = pytest.mark.django_db
USERS = "/api/users"


def post(api, body, content_type="application/json", path=USERS):
    return api.generic("POST", path, body, content_type=content_type)


@pytest.mark.parametrize("opening", ['{"a":', "["])
@pytest.mark.parametrize("levels", [33, 500, 20_000])
def test_deep_json_is_refused(api, opening, levels):
    answer = post(api, opening * levels + "1" + ("}" if "{" in opening else "]") * levels)
    assert (answer.status_code, answer.json()["code"]) == (400, "parse_error")


def test_json_of_32_levels_is_read(api):
    deep = "[" * 31 + "]" * 31
    assert post(api, f'{{"email": "e@example.com", "extra": {deep}}}').status_code == 201


def test_the_last_of_two_equal_keys_counts(api):
    assert post(api, '{"email": "a@example.com", "email": "b@example.com"}').json()["email"] == "b@example.com"


@pytest.mark.parametrize("escape", [r"\u0000", r"a\ud800", r"\udc00b"])
def test_what_no_database_can_keep_is_refused(api, escape):
    assert post(api, f'{{"email": "e@example.com", "nickname": "{escape}"}}').status_code == 400


@pytest.mark.parametrize("body", [r'{"\ud800": 1}', r'{"email": "e@example.com", "x": ["\udc00"]}'])
def test_half_a_character_is_refused_wherever_it_stands(api, alice, body):
    assert post(api, body).status_code == 400
    assert api.generic("PUT", f"{USERS}/{alice.pk}", body, content_type="application/json").status_code == 400


def test_escaped_characters_are_read(api):
    answer = post(api, r'{"email": "e@example.com", "nickname": "\ud83d\udc4b \u00e9"}')
    assert answer.json()["displayName"] == "👋 é"


def test_a_fraction_may_stand_beside_an_escaped_character(api):
    assert post(api, r'{"email": "e@example.com", "x": 1.5, "y": "\u00e9"}').status_code == 201


@pytest.mark.parametrize("body", ["", " \r\n"])
def test_a_body_of_nothing_is_an_empty_one(api, alice, body):
    answer = api.generic("PUT", f"{USERS}/{alice.pk}", body, content_type="application/json")
    assert (answer.status_code, answer.json()["displayName"]) == (200, "Alice")


def test_a_body_over_one_mebibyte_is_413(api):
    answer = post(api, b" " * (1024 * 1024 + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


def test_a_body_of_one_mebibyte_is_read(api):
    assert post(api, b'{"email": "e@example.com"}'.ljust(1024 * 1024)).status_code == 201


@pytest.mark.parametrize(("values", "status"), [(20_000, 201), (20_001, 400)])
def test_json_of_20_000_values_is_read_and_no_longer_one(api, values, status):
    opening = '{"email": "e@example.com", "extra": ['  # a list in an object, and a comma between its fields
    assert post(api, f"{opening}{'0,' * (values - 3)}0]}}").status_code == status


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "application/octet-stream"])
def test_another_content_type_is_415(api, kind):
    assert post(api, "x", kind).status_code == 415


@pytest.mark.parametrize("charset", ["utf-16", "latin-1", "rot13", "bz2", "utf-7"])
def test_another_charset_is_415(api, charset):
    assert post(api, "{}", f"application/json; charset={charset}").status_code == 415


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", '"utf-8"', "no-such-charset"])
def test_utf_8_is_read_however_it_is_named(api, charset):
    answer = post(api, '{"email": "e@example.com"}', f"application/json; charset={charset}")
    assert answer.status_code == (415 if charset == "no-such-charset" else 201)


def test_a_multipart_body_without_its_boundary_is_400(api):
    assert post(api, "x", "multipart/form-data").status_code == 400


def test_a_form_with_too_many_fields_is_400(api):
    answer = post(api, "&".join(f"f{number}=1" for number in range(10_001)), "application/x-www-form-urlencoded")
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
