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
from collections.abc import Iterator
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


_DIGIT_RUN = re.compile(r"\d(?:[ -]?\d){12,}")
_DIGITS = re.compile(r"\d+")
_CARD_LENGTHS = range(13, 20)


def looks_like_card_number(text: str) -> str | None:
    """Return the first run in `text` with a card's prefix, length and check digit, or None.

    Other numbers beside it, such as its expiry date, do not hide it.
    Source: ISO/IEC 7812-1 (Luhn), and the major brands' published prefixes and lengths.
    """
    for run in _DIGIT_RUN.finditer(text):
        for digits, written in _candidates(run.group()):
            if _known_prefix(digits) and _luhn(digits):
                return written
    return None


def _candidates(run: str) -> Iterator[tuple[str, str]]:
    """Yield neighbouring groups of digits as long as a card number, bare and as written."""
    groups = list(_DIGITS.finditer(run))
    for place, first in enumerate(groups):
        digits = ""
        for last in groups[place : place + max(_CARD_LENGTHS)]:
            digits += last.group()
            if len(digits) in _CARD_LENGTHS:
                yield digits, run[first.start() : last.end()]


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
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value  # noqa: PLR2004
    return total % 10 == 0
