"""However a number is written, it has one form; and what is nobody's has none."""

import pytest

from core.phone_numbers import PLACEHOLDERS, costs_extra, country_of, e164, number_of_caller


@pytest.mark.parametrize(
    ("written", "country", "number"),
    [
        ("+12025550123", None, "+12025550123"),
        (" +12025550123\n", None, "+12025550123"),
        ("12025550123", None, "+12025550123"),
        ("(202) 555-0123", "US", "+12025550123"),
        ("1 202.555.0123", "US", "+12025550123"),
        ("001 202 555 0123", "DE", "+12025550123"),
        ("+44 20 7123 4567", None, "+442071234567"),
        ("+44 (0)20 7123 4567", "US", "+442071234567"),
        ("020 7123 4567", "GB", "+442071234567"),
        ("4930123456789", None, "+4930123456789"),
        ("+52 55 1234 5678", None, "+525512345678"),
        ("+52 1 55 1234 5678", None, "+525512345678"),
        ("55 1234 5678", "MX", "+525512345678"),
        ("1 55 1234 5678", "MX", "+525512345678"),
        ("06 1234 5678", "IT", "+390612345678"),
    ],
)
def test_a_number_has_one_form_however_it_is_written(written, country, number):
    assert e164(written, country) == number


@pytest.mark.parametrize("digits", sorted(PLACEHOLDERS))
def test_what_stands_for_withheld_numbers_is_nobodys(digits):
    assert e164(f"+{digits}") is None
    assert number_of_caller(f"+{digits}") is None
    assert number_of_caller(digits, "+12025550100") is None


@pytest.mark.parametrize(
    "written", ["", "+", "0", "202-555-0123", "1-800-FLOWERS", "+12025550123 ext 4", "+15551234567", "911", "+1" * 30]
)
def test_what_cannot_be_read_has_no_form(written):
    assert e164(written) is None


@pytest.mark.parametrize("country", ["US", "GB", "DE"])
@pytest.mark.parametrize("written", ["911", "112", "999", "110"])
def test_no_emergency_number_is_anybodys(written, country):
    assert e164(written, country) is None


@pytest.mark.parametrize(
    ("number", "is_so", "country"),
    [("+19005551234", True, "US"), ("+870776001234", True, ""), ("+12025550123", False, "US")],
)
def test_some_numbers_cost_extra_and_some_are_of_no_country(number, is_so, country):
    assert (costs_extra(number), country_of(number)) == (is_so, country)


@pytest.mark.parametrize(
    ("caller", "dialled", "number"),
    [
        ("+12025550123", "+12025550100", "+12025550123"),
        ("2025550123", "+12025550100", "+12025550123"),
        ("12025550123", "+12025550100", "+12025550123"),
        ("447911123456", "+12025550100", "+447911123456"),
        ("447911123456", "sip:x@example.com", "+447911123456"),
        ("5550119999", "+12025550100", None),
        ("4792345678", "+12025550100", None),  # somebody in Arkansas, or in Norway
        ("4792345678", "", "+4792345678"),
        ("+112025550123", "", None),
        ("202-555-0123", "+12025550100", None),  # as people write, and no network
        ("sip:+12025550123@example.com", "", None),
        ("whatsapp:+12025550123", "", None),
        ("client:u_1", "", None),
    ],
)
def test_a_caller_is_known_by_what_can_be_read_in_one_way_only(caller, dialled, number):
    assert number_of_caller(caller, dialled) == number
