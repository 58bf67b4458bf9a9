"""Stripe's signature over a message: raw bytes, constant time, fresh, and one of our secrets."""

from __future__ import annotations

import hashlib
import hmac

from webapp.gateway.errors import BadSignature

MAX_AGE_SECONDS = 300
MAX_AHEAD_SECONDS = 60
_MAX_HEADER = 2_000


def check(body: bytes, header: str, *, secrets: tuple[str, ...], now: int) -> None:
    """Return if `header` signs `body` with one of `secrets`; raises BadSignature otherwise.

    `now` is Unix seconds. Source: Stripe, "Verify webhook signatures manually": HMAC-SHA256 of
    `<t>.<body>`, hex, as `v1`; several `v1` stand there while a secret is being replaced.
    """
    moment, offered = _parts(header)
    if not now - MAX_AGE_SECONDS <= moment <= now + MAX_AHEAD_SECONDS:
        raise BadSignature
    signed = f"{moment}.".encode() + body
    matches = False
    for secret in secrets:
        expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest().encode()
        for one in offered:
            matches |= hmac.compare_digest(expected, one)
    if not matches:
        raise BadSignature


def _parts(header: str) -> tuple[int, list[bytes]]:
    if len(header) > _MAX_HEADER:
        raise BadSignature
    pairs = [part.partition("=") for part in header.split(",")]
    moments = [value for name, _, value in pairs if name.strip() == "t"]
    offered = [
        value.strip().encode("utf-8", "replace") for name, _, value in pairs if name.strip() == "v1"
    ]
    if len(moments) != 1 or not offered:
        raise BadSignature
    written = moments[0].strip()
    if not written.isascii() or not written.isdecimal():
        raise BadSignature
    return int(written[:15]), offered
