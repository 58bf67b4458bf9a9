"""Seeded chance for the demo data: the same ids, amounts and times for the same anchor."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from typing import TypeVar

from webapp.kernel import ids

T = TypeVar("T")
SEED = 20_261_121


class Chance:
    """One stream of seeded chance."""

    def __init__(self, seed: int = SEED) -> None:
        self._random = random.Random(seed)  # noqa: S311 - a story, not a secret

    def id(self, kind: str, at: dt.datetime) -> str:
        """Return an id of a kind whose time part is `at`."""
        return ids.seeded(kind, int(at.timestamp() * 1000), self._random.getrandbits(80))

    def pick(self, weighted: Sequence[tuple[T, int]]) -> T:
        """Return one of several with the given weights."""
        return self._random.choices([w[0] for w in weighted], [w[1] for w in weighted])[0]

    def one_of(self, things: Sequence[T]) -> T:
        """Return any one."""
        return self._random.choice(things)

    def thousand(self) -> int:
        """Return a number from 0 to 999."""
        return self._random.randrange(1000)

    def between(self, low: int, high: int) -> int:
        """Return a whole number, both ends included."""
        return self._random.randint(low, high)

    def about(self, mean: float) -> int:
        """Return a whole number around `mean`, never below zero."""
        return max(0, round(self._random.gauss(mean, mean**0.5)))

    def hour(self, weights: Sequence[int]) -> int:
        """Return an hour of the day by its weight."""
        return self._random.choices(range(24), weights)[0]
