import pytest

from tests.access.rows import all_rows


@pytest.fixture
def put(api, alice):
    return lambda body: api.put(f"/api/users/{alice.pk}", body)


def test_only_what_is_sent_changes(put):
    account = put({"firstName": "Al", "callStatus": True}).json()
    assert (account["firstName"], account["callStatus"], account["displayName"]) == ("Al", True, "Alice")


def test_nothing_sent_changes_nothing(put, api, alice):
    before = all_rows()
    assert put({}).json() == api.get(f"/api/users/{alice.pk}").json()
    assert all_rows() == before


def test_text_is_kept_as_it_was_sent(put):
    text = "  \u200f\u05e2\u05d1\u200f e\u0301 \U0001f469\u200d\U0001f467 "
    assert put({"displayName": text, "lastName": ""}).json()["displayName"] == text


def test_fields_that_may_be_missing_can_be_cleared(put):
    put({"firstName": "Al", "avatar": "https://example.com/a.png", "phoneNumber": 4930123456})
    account = put({"firstName": None, "avatar": None, "phoneNumber": None}).json()
    assert (account["firstName"], account["avatar"], account["phoneNumber"]) == (None, None, None)


@pytest.mark.parametrize("sent", [4930123456, "4930123456", "+4930123456"])
def test_a_phone_number_is_its_digits(put, sent):
    assert put({"phoneNumber": sent}).json()["phoneNumber"] == 4930123456


@pytest.mark.parametrize("sent", ["0123", 0, -1, "1" * 16, 10**15, "12a", "", "++1", 1.5, True, [1], {"a": 1}, "٣"])
def test_other_phone_numbers_are_refused(put, sent):
    assert put({"phoneNumber": sent}).status_code == 400


@pytest.mark.parametrize("digits", [1, 999_999_999_999_999, 5215512345678, 4402071234567])
def test_digits_that_are_no_number_in_its_one_form_are_refused_in_words(put, digits):
    """A country that there is not, a Mexican mobile as it was written before 2019, a zero that nobody dials there."""
    answer = put({"phoneNumber": f"+{digits}"})
    assert answer.status_code == 400
    assert "No telephone has this number." in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize("digits", [266696687, 7378742833, 17378742833, 8656696, 86282452253, 1202555, 15551234567])
def test_a_number_that_is_nobodys_is_refused_in_words(put, digits):
    answer = put({"phoneNumber": f"+{digits}"})
    assert answer.status_code == 400
    assert "No telephone has this number." in answer.json()["errors"][0]["message"]
    assert put({}).json()["phoneNumber"] is None


@pytest.mark.parametrize(
    "field", ["id", "email", "stripeId", "accountBalance", "last4", "createdAt", "is_staff", "nope"]
)
def test_fields_that_are_not_theirs_to_change_are_refused_by_name(put, field):
    answer = put({field: "x", "firstName": "Al"})
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert put({}).json()["firstName"] is None


@pytest.mark.parametrize(
    "sent",
    [
        {"callStatus": None},
        {"callStatus": "perhaps"},
        {"callStatus": []},
        {"displayName": " "},
        {"displayName": None},
        {"displayName": "x" * 129},
        {"avatar": "x" * 257},
        {"billingSubcription": None},
        {"firstName": {"a": 1}},
        [],
        "text",
    ],
)
def test_bad_values_are_refused(put, sent):
    assert put(sent).status_code == 400


def test_somebody_absent_is_404(api, db):
    assert api.put("/api/users/999", {}).status_code == 404
