"""Keys and request hashes, pure."""

from __future__ import annotations

import hashlib
import re

from webapp.idempotency.errors import KeyMalformed, KeyMissing
from webapp.kernel import crypto

_KEY = re.compile(r"[\x20-\x7e]{1,255}")
#: Some of these pass for a card's number by chance, and none is one.
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def check_key(key: str | None) -> str:
    """Return the key; raises KeyMissing or KeyMalformed.

    A key has 1 to 255 printable ASCII characters and no card number in it, as keys are kept.
    """
    if key is None:
        raise KeyMissing(param="Idempotency-Key")
    if not _KEY.fullmatch(key):
        raise KeyMalformed(param="Idempotency-Key")
    if crypto.looks_like_card_number(key) and not _UUID.fullmatch(key):
        raise KeyMalformed("No card number belongs in a key.", param="Idempotency-Key")
    return key


def request_hash(*parts: str | bytes) -> str:
    """Return one hash (hex) over what makes a request the same: method, path, body, version.

    Each part is written with its length before it, so that parts cannot lend each other letters.
    """
    digest = hashlib.sha256()
    for part in parts:
        body = part.encode() if isinstance(part, str) else part
        digest.update(f"{len(body)}:".encode() + body)
    return digest.hexdigest()
