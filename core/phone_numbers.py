"""Telephone numbers: which of them tell who somebody is. https://www.twilio.com/docs/glossary/what-e164

Valid, not only possible, by Google's library: by their length alone two of the placeholders would be numbers in China.
"""

from phonenumbers import NumberParseException, PhoneNumberFormat, format_number, is_valid_number, parse

WITHHELD = ("anonymous", "blocked", "private", "restricted", "unavailable", "unknown", "withheld")
"""What stands where a caller shows no number."""
KEYS = str.maketrans("abcdefghijklmnopqrstuvwxyz", "22233344455566677778889999")
AS_KEYS = {word.translate(KEYS) for word in WITHHELD}
PLACEHOLDERS = AS_KEYS | {f"1{keys}" for keys in AS_KEYS} | {"7378742883"}
"""The same by the keys of a telephone, as some networks write it: ANONYMOUS is +266696687. With a 1 before it,
RESTRICTED is somebody's in Texas: strangers must not walk in as them. The last is how Twilio once misspelled it."""

NO_SUCH_NUMBER = "No telephone has this number. Write all of it, with the country code, such as +12025550123."


def is_phone_number(digits: str) -> bool:
    """Whether these are the digits, without the plus, of a number that is somebody's, as E.164 writes it."""
    if digits in PLACEHOLDERS:
        return False
    try:
        number = parse(f"+{digits}")
    except NumberParseException:
        return False
    return is_valid_number(number) and format_number(number, PhoneNumberFormat.E164) == f"+{digits}"


def is_withheld(caller: str) -> bool:
    """Whether a caller, as the network names them, shows no number."""
    return not caller or caller.lower() in WITHHELD or caller.removeprefix("+") in PLACEHOLDERS
