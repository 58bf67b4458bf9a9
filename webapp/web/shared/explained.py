"""Why something is as it is and what happens next, from the table of its states; pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from webapp.kernel import words
from webapp.kernel.flow import Owner, State

OWNERS: dict[Owner, str] = {
    Owner.US: "Paydeck",
    Owner.SHOPPER: "The shopper",
    Owner.MERCHANT: "The merchant",
    Owner.PROVIDER: "The payment provider",
    Owner.ADMIN: "The platform’s team",
}


@dataclass(frozen=True, slots=True)
class Explained:
    """What a state means, whom we wait for, when we look again, until when, and what then."""

    title: str
    text: str
    owner: str | None
    next_check: str | None
    deadline: str | None
    on_deadline: str | None
    tone: str


def explained_state(
    state: State,
    *,
    tone: str,
    check_at: dt.datetime | None,
    deadline_at: dt.datetime | None,
    zone: str,
    text: str = "",
) -> Explained:
    """Return a state explained for a page; moments are written in the zone.

    A page of the merchant's replaces the merchant by who of them can act.
    """
    return Explained(
        title=state.says,
        text=text,
        owner=OWNERS.get(state.owner) if state.owner else None,
        next_check=words.moment_text(check_at, zone) if check_at else None,
        deadline=words.moment_text(deadline_at, zone) if deadline_at else None,
        on_deadline=state.on_deadline or None,
        tone="neutral" if tone == "progress" else tone,
    )
