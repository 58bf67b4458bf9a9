"""Personal data at rest: AES-256-GCM bound to its place, blind indexes for look-ups, record hashes.

A sealed text is `<key id>.<base64url of nonce + ciphertext>`. The additional data is
`table:column:row`, so a value copied into another row or column does not open.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12


class CannotOpen(Exception):
    """A sealed value does not open here: other key, other place, or tampered with."""


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Sealing keys by id (the first is used to seal) and the key of the blind indexes."""

    sealing: tuple[tuple[str, bytes], ...]
    index: bytes

    def __post_init__(self) -> None:
        if not self.sealing or any(len(key) != KEY_BYTES for _, key in self.sealing):
            message = f"encryption keys are {KEY_BYTES} bytes"
            raise ValueError(message)


_ring: list[KeyRing] = []


def use(ring: KeyRing) -> None:
    """Set the process's key ring; called once at start."""
    _ring[:] = [ring]


def seal(plain: str, *, context: str) -> str:
    """Return `plain` encrypted for exactly this `context` (`table:column:row`)."""
    key_id, key = _ring[0].sealing[0]
    nonce = os.urandom(NONCE_BYTES)
    sealed = AESGCM(key).encrypt(nonce, plain.encode(), context.encode())
    return f"{key_id}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"


def unseal(sealed: str, *, context: str) -> str:
    """Return the plain text; raises CannotOpen when key, place or bytes are not the right ones."""
    key_id, _, body = sealed.partition(".")
    key = dict(_ring[0].sealing).get(key_id)
    if key is None:
        raise CannotOpen(key_id)
    try:
        raw = base64.urlsafe_b64decode(body)
        return AESGCM(key).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], context.encode()).decode()
    except (InvalidTag, ValueError) as wrong:
        raise CannotOpen(context) from wrong


def blind_index(value: str, *, purpose: str) -> str:
    """Return a keyed hash (hex) by which equal values can be found without being readable."""
    message = f"{purpose}:{value}".encode()
    return hmac.new(_ring[0].index, message, hashlib.sha256).hexdigest()


def record_hash(*parts: object) -> str:
    """Return a keyed hash (hex) over a record's parts, each written with its length before it."""
    mac = hmac.new(_ring[0].index, b"record", hashlib.sha256)
    for part in parts:
        text = str(part).encode()
        mac.update(f"{len(text)}:".encode() + text)
    return mac.hexdigest()


def mask_email(address: str) -> str:
    """Return an e-mail address with all but its first letter and its domain hidden."""
    name, _, domain = address.partition("@")
    return f"{name[:1]}•••@{domain}" if domain else "•••"


def mask_name(name: str) -> str:
    """Return a person's name as first letters only, such as `A. R.`."""
    return " ".join(f"{word[0]}." for word in name.split() if word) or "•••"


#: What people and pages put between the groups of a card's digits, and how much of it.
_BETWEEN = r"(?:[ _\-\u00a0\u2007-\u2015\u202f]{0,2}|\.(?=\d{4}(?!\d)))"
_DIGIT_RUN = re.compile(rf"\d(?:{_BETWEEN}\d){{12,}}")
_DIGITS = re.compile(r"\d+")
_CARD_LENGTHS = range(13, 20)
_LONGEST_CARD = _CARD_LENGTHS[-1]
#: A digit doubled, as the check counts it: 7 becomes 14 and so 5.
_TWICE = str.maketrans("0123456789", "0246813579")
#: No number of a card begins with these.
_NO_CARDS = "0179"


def looks_like_card_number(text: str) -> str | None:
    """Return the first run in `text` with a card's prefix, length and check digit, or None.

    Other numbers beside it, such as its expiry date, do not hide it.
    Source: ISO/IEC 7812-1 (Luhn), and the major brands' published prefixes and lengths.
    """
    for run in _DIGIT_RUN.findall(text):
        for start, end in _cards(run):
            return str(run[start:end])
    return None


def without_card_numbers(text: str, hidden: str) -> str:
    """Return `text` with `hidden` in the place of each run that looks like a card number."""

    def cleaned(run: re.Match[str]) -> str:
        written, kept, done = run.group(), list[str](), 0
        for start, end in _cards(written):
            kept += [written[done:start], hidden]
            done = end
        return "".join([*kept, written[done:]])

    return _DIGIT_RUN.sub(cleaned, text)


def _cards(run: str) -> Iterator[tuple[int, int]]:
    """Yield where in one run something looks like a card number, from left to right.

    Each is of neighbouring whole groups of digits, and none shares a group with the one before.
    """
    plain = run if run.isascii() else "".join(map(_plain_digit, run))
    spans = [one.span() for one in _DIGITS.finditer(plain)]
    groups = [plain[start:end] for start, end in spans]
    place = 0
    while place < len(groups):
        length = _of_a_card(groups[place : place + _LONGEST_CARD])
        if length:
            yield spans[place][0], spans[place + length - 1][1]
        place += length or 1


def _plain_digit(letter: str) -> str:
    """Return a digit of any script as ours writes it; another letter as it is."""
    return str(unicodedata.decimal(letter)) if letter.isdecimal() else letter


def _of_a_card(groups: Sequence[str]) -> int:
    """Return how many of the first groups make a card number, or 0."""
    if groups[0][0] in _NO_CARDS:
        return 0
    digits = ""
    for count, group in enumerate(groups, start=1):
        digits += group
        if len(digits) > _LONGEST_CARD:
            return 0
        if len(digits) in _CARD_LENGTHS and _known_prefix(digits) and _luhn(digits):
            return count
    return 0


def _known_prefix(digits: str) -> bool:
    length = len(digits)
    two, four = int(digits[:2]), int(digits[:4])
    return (
        (digits[0] == "4" and length in {13, 16, 19})
        or ((51 <= two <= 55 or 2221 <= four <= 2720) and length == 16)  # noqa: PLR2004
        or (two in {34, 37} and length == 15)  # noqa: PLR2004
        or ((four == 6011 or two in {60, 64, 65, 81, 82}) and length == 16)  # noqa: PLR2004
        or (two in {30, 35, 36, 38} and length in {14, 16})
    )


def _luhn(digits: str) -> bool:
    doubled = digits[-2::-2].translate(_TWICE)
    return (sum(map(int, digits[-1::-2])) + sum(map(int, doubled))) % 10 == 0
