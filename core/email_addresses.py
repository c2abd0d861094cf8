"""Which e-mail addresses are one: those that no mail server tells apart."""

import string
import unicodedata
from functools import lru_cache

import idna

LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
LONGEST_KEY = 320


def email_key(email: str) -> str:
    """What equal addresses have in common: the name in NFC and without case in ASCII, the domain as IDNA writes it.

    Other letters keep their case, and what NFC would turn into ASCII stays as it is (it makes a K of the Kelvin sign):
    the owner of an account is nobody with a look-alike address. https://www.rfc-editor.org/rfc/rfc6532#section-3.1
    """
    name, _, domain = email.rpartition("@")
    return f"{composed(name).translate(LOWER)}@{domain_key(domain)}"[:LONGEST_KEY]


def composed(name: str) -> str:
    return name if looks_alike(name) else unicodedata.normalize("NFC", name)


def looks_alike(text: str) -> bool:
    return any(unicodedata.normalize("NFC", letter).isascii() for letter in text if not letter.isascii())


@lru_cache(maxsize=1024)  # of many people few domains are different, and IDNA is slow
def domain_key(domain: str) -> str:
    """`münchen.de`, its punycode, and both in full-width letters are one. https://www.unicode.org/reports/tr46/"""
    try:
        if not looks_alike(domain):
            return idna.encode(domain, uts46=True).decode()
    except UnicodeError:
        pass
    return composed(domain).translate(LOWER)  # what is no name of the DNS is compared as it is written
