"""Passwords hashed at the lowest cost: thousands of tests sign somebody in, and few ask how."""

from __future__ import annotations

from argon2 import PasswordHasher

from webapp.accounts import passwords

SETTLED = passwords._hasher  # noqa: SLF001 - given back where the cost itself is tested
_CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1, hash_len=32, salt_len=16)


def use() -> None:
    """Hash all passwords of this process cheaply, each still with its salt."""
    passwords._hasher = _CHEAP  # noqa: SLF001 - the one place where the cost is chosen
