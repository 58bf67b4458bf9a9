"""People on the admin's pages: masked names beside their ids, and the audit trail with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from webapp import accounts, audit
from webapp.audit import Entry
from webapp.kernel import crypto
from webapp.web.admin.door import acting


@dataclass(frozen=True, slots=True)
class Trail:
    """Rows of the audit trail, and the masked names of the people in them by id."""

    entries: Sequence[Entry]
    people: Mapping[str, str]


def masked_names(ids: Iterable[str | None]) -> dict[str, str]:
    """Return people's names by id, masked, or `You`; ids of nobody are left out."""
    found = accounts.names_of(one for one in ids if one)
    return {
        person: "You" if person == acting().id else crypto.mask_name(name)
        for person, name in found.items()
    }


def trail_of(entries: Sequence[Entry]) -> Trail:
    """Return rows of the trail with the names of who acted and of whom they are about."""
    ids = {one for entry in entries for one in (entry.actor_id, entry.subject_id)}
    return Trail(entries, masked_names(ids))


def trail_about(kind: str, subject_id: str) -> Trail:
    """Return what was done to one object, newest first."""
    return trail_of(audit.entries_about(kind, subject_id))
