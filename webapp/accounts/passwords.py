"""Passwords: argon2id at OWASP's minimum, bcrypt from imports, at most two hashed at once."""

from __future__ import annotations

import base64
import re
import secrets
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

import argon2
import bcrypt

from webapp.accounts.errors import BadImport, Busy
from webapp.kernel import db

AT_ONCE = 2
WAIT_SECONDS = 5
BCRYPT_BYTES = 72
SALT_BYTES = 16
DIGEST_BYTES = 32
#: 19 MiB, two passes, one lane: the first choice of the OWASP password storage cheat sheet.
MEMORY_KIB, PASSES, LANES = 19_456, 2, 1
_IMPORTABLE = re.compile(r"^\$2[aby]\$(0[4-9]|1[0-5])\$[./A-Za-z0-9]{53}$")

_hasher = argon2.PasswordHasher(
    time_cost=PASSES,
    memory_cost=MEMORY_KIB,
    parallelism=LANES,
    hash_len=DIGEST_BYTES,
    salt_len=SALT_BYTES,
)
_turns = threading.BoundedSemaphore(AT_ONCE)


def hash_password(password: str) -> str:
    """Return the salted argon2id hash of `password`; holds no database connection meanwhile."""
    with _turn():
        return _hasher.hash(_normal(password))


def is_right(stored: str | None, password: str) -> bool:
    """Whether `password` is the one that was hashed.

    With no stored hash the same work is done against a made-up one, so that the time taken does
    not tell whether an account exists.
    """
    with _turn():
        if stored is not None and stored.startswith("$2"):
            return _is_right_bcrypt(stored, password)
        try:
            return _hasher.verify(stored or nobodys_hash(), _normal(password))
        except argon2.exceptions.VerificationError:
            return False


def needs_rehash(stored: str) -> bool:
    """Whether the hash was made in another way than new ones are: bcrypt, or older parameters."""
    return stored.startswith("$2") or _hasher.check_needs_rehash(stored)


def importable(bcrypt_hash: str) -> str:
    """Return a bcrypt hash from another system as it is to be stored; raises BadImport."""
    if not _IMPORTABLE.match(bcrypt_hash):
        raise BadImport(param="password_hash")
    return bcrypt_hash


@contextmanager
def _turn() -> Iterator[None]:
    db.assert_no_transaction()
    if not _turns.acquire(timeout=WAIT_SECONDS):
        raise Busy
    try:
        yield
    finally:
        _turns.release()


def _is_right_bcrypt(stored: str, password: str) -> bool:
    try:
        return bcrypt.checkpw(password.encode()[:BCRYPT_BYTES], stored.encode())
    except ValueError:
        return False


def _normal(password: str) -> str:
    """One spelling for what a person typed, whichever keyboard made the accents."""
    return unicodedata.normalize("NFKC", password)


def nobodys_hash() -> str:
    """Return what looks like a hash and is none: no password is right for it."""
    salt, digest = (
        base64.b64encode(secrets.token_bytes(size)).decode().rstrip("=")
        for size in (SALT_BYTES, DIGEST_BYTES)
    )
    return f"$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${salt}${digest}"
