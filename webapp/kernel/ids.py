"""Ids: a prefix from one table and a ULID, so that text order is time order; and secret tokens."""

from __future__ import annotations

import hashlib
import secrets

from webapp.kernel import clock

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ULID_LENGTH = 26

PREFIXES: dict[str, str] = {
    "user": "usr",
    "merchant": "mer",
    "membership": "mem",
    "session": "ses",
    "token": "tok",
    "customer": "cus",
    "order": "ord",
    "payment_link": "plink",
    "checkout_session": "chk",
    "payment": "pay",
    "attempt": "att",
    "operation": "op",
    "provider_event": "pev",
    "anomaly": "ano",
    "refund": "re",
    "transfer": "tr",
    "correction": "cor",
    "account": "acc",
    "wallet": "wal",
    "wallet_transfer": "wtr",
    "fact": "fact",
    "move": "mov",
    "audit": "aud",
    "message": "msg",
    "mail": "mail",
    "request": "req",
    "trace": "trc",
    "form": "form",
    "api_key": "key",
    "refresh_token": "rft",
    "event": "evt",
    "webhook_endpoint": "we",
    "delivery": "whd",
    "delivery_attempt": "wha",
    "webhook_receipt": "whr",
}


def new(kind: str) -> str:
    """Return a fresh id for a `kind` of PREFIXES, such as `pay_01J…` (26 characters after _)."""
    millis = int(clock.now().timestamp() * 1000)
    return f"{PREFIXES[kind]}_{_ulid(millis, secrets.randbits(80))}"


def seeded(kind: str, millis: int, chance: int) -> str:
    """Return the id that `millis` (Unix time) and `chance` (80 bits) determine, for seeds."""
    return f"{PREFIXES[kind]}_{_ulid(millis, chance)}"


def secret_token() -> str:
    """Return 256 random bits as URL-safe text, to be shown once and stored only hashed."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """Return the SHA-256 of a secret token, in hex: enough for 256 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()


def _ulid(millis: int, chance: int) -> str:
    number = (millis << 80) | (chance & ((1 << 80) - 1))
    letters = []
    for _ in range(ULID_LENGTH):
        letters.append(ALPHABET[number & 31])
        number >>= 5
    return "".join(reversed(letters))
