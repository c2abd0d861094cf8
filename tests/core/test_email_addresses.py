import pytest

from core.email_addresses import email_key


@pytest.mark.parametrize(
    "other",
    [
        "eve@xn--mnchen-3ya.de",
        "EVE@MÜNCHEN.DE",
        "eve@mu\u0308nchen.de",
        "eve@ｍünchen.ｄｅ",
        "eve@münchen。de",
        "Eve@XN--MNCHEN-3YA.de",
    ],
)
def test_a_domain_is_one_by_idna(other):
    assert email_key(other) == email_key("eve@münchen.de") == "eve@xn--mnchen-3ya.de"


def test_a_name_is_one_in_either_form():
    assert email_key("jose\u0301@example.com") == email_key("jos\u00e9@example.com")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("strasse@strasse.de", "strasse@straße.de"),  # two domains, since 2010
        ("kate@example.com", "\u212aate@example.com"),  # the Kelvin sign, which NFC makes a K
        ("eve@kiosk.example", "eve@\u212aiosk.example"),
        ("eve@example.com", "eve+1@example.com"),
        ("É@example.com", "é@example.com"),
    ],
)
def test_what_a_mail_server_may_tell_apart_is_two(one, other):
    assert email_key(one) != email_key(other)


@pytest.mark.parametrize(
    "odd", ["eve@under_score.example", "eve", "", "@", "a@b@c", "eve@" + "x" * 300, "eve@xn--zzzzzz99"]
)
def test_what_is_no_domain_has_a_key_too(odd):
    assert email_key(odd) == email_key(odd.upper()) if odd.isascii() else True
    assert len(email_key(odd)) <= 320
