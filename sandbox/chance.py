"""Ids nobody can guess, and seeded chance that always falls the same way."""

import hashlib
import secrets
import string

_LETTERS = string.ascii_letters + string.digits
_DIGITS = string.digits


def new_id(prefix: str, length: int = 24) -> str:
    """A new id such as `pi_…` with `length` random letters after the prefix."""
    return prefix + "".join(secrets.choice(_LETTERS) for _ in range(length))


def new_digits(length: int) -> str:
    """A bank's reference: `length` random digits."""
    return "".join(secrets.choice(_DIGITS) for _ in range(length))


def drawn(seed: str, *names: object) -> float:
    """A number from 0 up to but not 1 that depends on the seed and the names alone."""
    text = "/".join([seed, *map(str, names)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big") / 2**48
