"""Much to do, in batches that commit each for themselves, until nothing or no time is left."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from sqlalchemy.orm import Session

from webapp.kernel import db

#: A chore is done for so long before others have their turn.
SECONDS: Final = 2.0


def in_batches(do: Callable[[Session], int], *, of: int, seconds: float = SECONDS) -> int:
    """Repeat `do`, each time in a transaction of its own, and return how many it did in all.

    `do` works off at most `of` and returns how many it found; when it finds fewer, nothing is left.
    No batch is begun after `seconds`: the next run of the chore goes on.
    """
    until, done = time.monotonic() + seconds, 0
    while True:
        with db.transaction() as session:
            found = do(session)
        done += found
        if found < of or time.monotonic() >= until:
            return done
