"""Key rings of a test's own, after which the process has its own again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from webapp.kernel import crypto


@contextmanager
def own_ring(ring: crypto.KeyRing) -> Iterator[None]:
    """Seal and open with `ring`; what the block puts in its place is taken away as well."""
    kept = crypto._ring  # noqa: SLF001 - the process has one ring and no way to read it
    before = list(kept)
    crypto.use(ring)
    try:
        yield
    finally:
        kept[:] = before
