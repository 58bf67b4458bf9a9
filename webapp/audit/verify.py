"""The verifier: walks the whole chain and names the first row that is not as it was sealed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import func, select, text

from webapp.audit.chain import what_is_wrong
from webapp.audit.models import Entry, Seal
from webapp.kernel import db

BATCH = 2_000


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain at some moment: its length and last hash (hex)."""

    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What the verifier found; `first_bad` is a sentence that names the first bad row."""

    ok: bool
    first_bad: str | None
    unsealed_older_than_10s: int
    sealed: int

    @property
    def says(self) -> str:
        """What is wrong in a sentence, or that all is as it was sealed."""
        if self.first_bad is not None:
            return self.first_bad
        late = self.unsealed_older_than_10s
        if late:
            rows = "1 audit row has" if late == 1 else f"{late} audit rows have"
            return f"{rows} been waiting for its seal for more than 10 seconds"
        return f"{self.sealed} audit rows are as they were sealed"


def verify(kept: Head | None = None) -> Verification:
    """Walk the chain from its start; `kept` is a head from outside that must still be in it.

    Without a kept head, a chain whose newest rows were cut off together with their seals still
    verifies: that is what the daily head is printed for.
    """
    first_bad, before = None, None
    for seal, entry in _links():
        first_bad = what_is_wrong(seal, entry, before=before) or _contradicts(seal, kept)
        if first_bad:
            break
        before = seal
    sealed = before.seq if before else 0
    if first_bad is None and kept is not None and kept.seq > sealed:
        first_bad = f"seal {kept.seq}: was there once and is missing"
    late = _unsealed()
    return Verification(first_bad is None and late == 0, first_bad, late, sealed)


def _contradicts(seal: Seal, kept: Head | None) -> str | None:
    if kept is not None and kept.seq == seal.seq and kept.hash != seal.hash:
        return f"seal {seal.seq}: is not the one that was kept outside"
    return None


def _links() -> Iterator[tuple[Seal, Entry | None]]:
    after = 0
    while True:
        rows = db.session.execute(
            select(Seal, Entry)
            .outerjoin(Entry, Entry.id == Seal.audit_id)
            .where(Seal.seq > after)
            .order_by(Seal.seq)
            .limit(BATCH)
            .execution_options(populate_existing=True)
        ).all()
        for seal, entry in rows:
            after = seal.seq
            yield seal, entry
        if len(rows) < BATCH:
            return


def _unsealed() -> int:
    found = db.session.scalar(
        select(func.count())
        .select_from(Entry)
        .outerjoin(Seal, Seal.audit_id == Entry.id)
        .where(Seal.seq.is_(None), Entry.at < text("clock_now() - interval '10 s'"))
    )
    return found or 0
