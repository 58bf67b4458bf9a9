"""What people type about themselves, made normal or refused with the field's name."""

from __future__ import annotations

import re
import unicodedata
import zoneinfo
from functools import cache

from webapp.kernel import emails
from webapp.kernel.crypto import looks_like_card_number
from webapp.kernel.errors import Invalid
from webapp.kernel.money import EXPONENTS
from webapp.kernel.words import turns_text

MAX_NAME = 80
MIN_PHONE, MAX_PHONE = 7, 15
COUNTRY = re.compile(r"^[A-Z]{2}$")


def email(address: str) -> str:
    """Return an e-mail address as it is stored; raises Invalid naming `email`."""
    if not address.strip():
        raise Invalid("Enter your e-mail address.", param="email")
    return emails.checked(address)


def name(text: str, *, param: str = "name", empty: str = "Enter your name.") -> str:
    """Return a name of 1 to 80 characters on one line; raises Invalid naming `param`."""
    cleaned = " ".join(unicodedata.normalize("NFC", text).split())
    if not cleaned:
        raise Invalid(empty, param=param)
    if len(cleaned) > MAX_NAME:
        raise Invalid(f"Use at most {MAX_NAME} characters.", param=param)
    if turns_text(cleaned) or any(unicodedata.category(letter) == "Cc" for letter in cleaned):
        raise Invalid("Leave out characters that cannot be printed.", param=param)
    if looks_like_card_number(cleaned):
        raise Invalid("That looks like a card number. Never type one here.", param=param)
    return cleaned


def phone(text: str) -> str | None:
    """Return a phone number as `+` and digits, None when empty; raises Invalid naming `phone`."""
    stripped = text.strip()
    if not stripped:
        return None
    digits = re.sub(r"[\s().-]", "", stripped)
    if not re.fullmatch(r"\+?\d+", digits, re.ASCII):
        raise Invalid("Enter a phone number such as +91 98765 43210.", param="phone")
    if not MIN_PHONE <= len(digits.lstrip("+")) <= MAX_PHONE:
        raise Invalid(
            f"A phone number has {MIN_PHONE} to {MAX_PHONE} digits, with its country.",
            param="phone",
        )
    if looks_like_card_number(stripped):
        raise Invalid("That looks like a card number. Never type one here.", param="phone")
    return digits


@cache
def _timezones() -> frozenset[str]:
    """Return every zone's name, once a process: each look reads hundreds of files."""
    return frozenset(zoneinfo.available_timezones())


def timezone(text: str) -> str:
    """Return a time zone's name from the tz database; raises Invalid naming `timezone`."""
    if text not in _timezones():
        raise Invalid("Choose a time zone from the list.", param="timezone")
    return text


def currency(text: str) -> str:
    """Return a currency that we take; raises Invalid naming `currency`."""
    if text not in EXPONENTS:
        raise Invalid("Choose a currency from the list.", param="currency")
    return text


def country(text: str) -> str:
    """Return a two-letter country code; raises Invalid naming `country`."""
    if not COUNTRY.match(text):
        raise Invalid("Choose a country from the list.", param="country")
    return text
