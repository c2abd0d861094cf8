import pytest

from users.models import User


def test_one_person_is_an_account(api, alice):
    answer = api.get(f"/api/users/{alice.pk}")
    assert answer.json()["email"] == "alice@example.com"


@pytest.mark.parametrize("bad", ["abc", "1.5", "-1", "9223372036854775808", "٣", "007", "1%00", "1e3", "0x1"])
def test_a_malformed_id_is_404(api, alice, bad):
    answer = api.get(f"/api/users/{bad}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("absent", [0, 999, 2**63 - 1])
def test_an_unknown_id_is_404(api, alice, absent):
    assert api.get(f"/api/users/{absent}").status_code == 404


@pytest.mark.parametrize(
    ("micros", "shown"),
    [
        (None, "0.00"),
        (12_500_000, "12.50"),
        (9_999, "0.00"),
        (-1, "-0.01"),
        (-1_000_001, "-1.01"),
        (10**15, "1000000000.00"),
    ],
)
def test_the_balance_is_a_string_rounded_down(api, alice, micros, shown):
    User.objects.filter(pk=alice.pk).update(account_balance_micros=micros)
    assert api.get(f"/api/users/{alice.pk}").json()["accountBalance"] == shown
