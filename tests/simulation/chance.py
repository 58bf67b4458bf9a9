"""Seeded stand-ins for the kernel's sources of chance: the same seed makes the same ids."""

from __future__ import annotations

import random


class SeededSecrets:
    """What the kernel takes from `secrets`, drawn from one seeded source."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def randbits(self, bits: int) -> int:
        """Return that many bits."""
        return self._chance.getrandbits(bits)

    def token_urlsafe(self, size: int) -> str:
        """Return a token of `size` bytes, in hex."""
        return self._chance.getrandbits(size * 8).to_bytes(size, "big").hex()


class Names:
    """Ids as the provider gives them: a prefix and a number that no other schedule has."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._last = 0

    def new(self, prefix: str) -> str:
        """Return the next id."""
        self._last += 1
        return f"{prefix}_sim{self._seed}x{self._last}"
