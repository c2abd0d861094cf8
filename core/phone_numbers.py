"""Telephone numbers: which of them tell who somebody is. https://www.twilio.com/docs/glossary/what-e164

Valid, not only possible, by Google's library: by their length alone two of the placeholders would be numbers in China.
One number has one form here, that of `e164`, whoever wrote it: what is kept, what is compared and what is dialled.
"""

import re

from phonenumbers import (
    SUPPORTED_REGIONS,
    NumberParseException,
    PhoneNumber,
    PhoneNumberFormat,
    PhoneNumberType,
    format_number,
    is_valid_number,
    national_significant_number,
    number_type,
    parse,
    region_code_for_country_code,
    region_code_for_number,
)

WITHHELD = ("anonymous", "blocked", "private", "restricted", "unavailable", "unknown", "withheld")
"""What stands where a caller shows no number."""
KEYS = str.maketrans("abcdefghijklmnopqrstuvwxyz", "22233344455566677778889999")
AS_KEYS = {word.translate(KEYS) for word in WITHHELD}
PLACEHOLDERS = AS_KEYS | {f"1{keys}" for keys in AS_KEYS} | {"7378742883"}
"""The same by the keys of a telephone, as some networks write it: ANONYMOUS is +266696687. With a 1 before it,
RESTRICTED is somebody's in Texas: strangers must not walk in as them. The last is how Twilio once misspelled it."""

WRITTEN = re.compile(r"\+?[\d\s().,/\-\u2010-\u2015\u00ad\u2060]+")
"""Digits and what people set between them: no letters, and no extension, which tells nobody apart."""
MEXICO, OLD_MOBILE = 52, re.compile("1([0-9]{10})")
"""Until 2019 a Mexican mobile had a 1 before its number from abroad, and some networks still write it."""
WHOLE_WORLD = "001"  # how the library calls where satellites' and other numbers of no country are

NO_SUCH_NUMBER = "No telephone has this number. Write all of it, with the country code, such as +12025550123."


def is_phone_number(digits: str) -> bool:
    """Whether these are the digits, without the plus, of a number that is somebody's, as E.164 writes it."""
    if digits in PLACEHOLDERS:
        return False
    number = parsed(f"+{digits}")
    return number is not None and is_valid_number(number) and as_e164(number) == f"+{digits}"


def e164(text: str, country: str | None = None) -> str | None:
    """The number in its one form, such as "+12025550123"; None where it is nobody's, or cannot be read.

    `text` is as people or networks write it: whole, with a plus or without, or as it is dialled in its `country` (ISO
    3166, two letters).
    """
    text = text.strip()
    if not WRITTEN.fullmatch(text):
        return None
    number = parsed(text if country else f"+{text}", country)  # two pluses are read as one
    if number is None:
        return None
    written = as_e164(number)
    return written if is_phone_number(written.removeprefix("+")) else None


def parsed(text: str, country: str | None = None) -> PhoneNumber | None:
    try:
        return parse(text, country)
    except NumberParseException:
        return None


def as_e164(number: PhoneNumber) -> str:
    old = OLD_MOBILE.fullmatch(str(number.national_number)) if number.country_code == MEXICO else None
    if old:
        number = PhoneNumber(country_code=MEXICO, national_number=int(old[1]))
    return str(format_number(number, PhoneNumberFormat.E164))


def is_country(letters: str) -> bool:
    return letters in SUPPORTED_REGIONS


def country_of(number: str) -> str:
    """Of a number in its one form: ISO 3166, two letters; empty where it is no country's."""
    found = region_code_for_number(parse(number))
    return found if found and is_country(found) else ""


def costs_extra(number: str) -> bool:
    """Whether to ring this number, in its one form, earns somebody money, or costs as much as a satellite does."""
    found = parse(number)
    return number_type(found) == PhoneNumberType.PREMIUM_RATE or region_code_for_number(found) == WHOLE_WORLD


def number_of_caller(caller: str, dialled: str = "") -> str | None:
    """The number of a phone, as a network names it, in its one form; None where it tells nobody's.

    Some networks leave the plus off, and some the country too: such digits count where they can be read in one way
    only, as a whole number or as one of the country of the number that was dialled.
    """
    if is_withheld(caller):
        return None
    if caller.startswith("+"):
        return whole(caller)
    if not re.fullmatch("[0-9]+", caller):  # an app, a SIP address, WhatsApp
        return None
    near = parsed(dialled)
    country = region_code_for_country_code(near.country_code or 0) if near else ""
    at_home = e164(caller, country) if is_country(country) else None
    readings = {whole(f"+{caller}"), at_home} - {None}
    return readings.pop() if len(readings) == 1 else None


def whole(number: str) -> str | None:
    """The one form of what a network writes, which is nobody's where it is neither that nor Mexico's old one."""
    found = e164(number)
    return found if found and number in forms_of(found) else None


def forms_of(number: str) -> set[str]:
    """How networks and people write this number, which is in its one form."""
    old = re.sub(rf"^\+{MEXICO}", f"+{MEXICO}1", number)
    return {form for each in {number, old} for form in (each, each.removeprefix("+"))}


def forms_at_home(dialled: str) -> set[str]:
    """The digits by which people may mean a number that was dialled: with its country's, or as that dials them."""
    number = parsed(dialled if dialled.startswith("+") else f"+{dialled}")
    if number is None:
        return set()
    home = national_significant_number(number)
    return {f"{number.country_code}{home}", home, f"0{home}"}


def is_withheld(caller: str) -> bool:
    """Whether a caller, as the network names them, shows no number."""
    return not caller or caller.lower() in WITHHELD or caller.removeprefix("+") in PLACEHOLDERS
