"""Keys and request hashes, pure."""

from __future__ import annotations

import hashlib
import re

from webapp.idempotency.errors import KeyMalformed, KeyMissing

_KEY = re.compile(r"[\x20-\x7e]{1,255}")


def check_key(key: str | None) -> str:
    """Return the key; raises KeyMissing or KeyMalformed (1 to 255 printable ASCII characters)."""
    if key is None:
        raise KeyMissing(param="Idempotency-Key")
    if not _KEY.fullmatch(key):
        raise KeyMalformed(param="Idempotency-Key")
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
