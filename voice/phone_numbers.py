"""Numbers of the telephone network, as Twilio writes them. https://www.twilio.com/docs/glossary/what-e164"""

import re


def phone_digits(caller: str) -> str | None:
    """The digits of an E.164 number ("+15551234567"); None where the caller is no phone."""
    match = re.fullmatch(r"\+([1-9][0-9]{6,14})", caller)
    return match[1] if match else None
