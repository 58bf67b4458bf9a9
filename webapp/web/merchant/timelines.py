"""Moves as a timeline in sentences, newest first, with who did it; pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from webapp.kernel import words
from webapp.outbox import Move
from webapp.refunds import Refund
from webapp.web.shared.pills import pill

#: States that only a technician wants to read about; they are folded away, never left out.
TECHNICAL: dict[str, frozenset[str]] = {
    "payment": frozenset({"created", "processing"}),
    "order": frozenset(),
    "checkout_session": frozenset({"open", "expired", "complete"}),
    "payment_link": frozenset(),
    "anomaly": frozenset(),
    "refund": frozenset(),
    "correction": frozenset(),
}
TITLES: dict[tuple[str, str], str] = {
    ("payment", "created"): "The payment was begun",
    ("payment", "awaiting_method"): "Waiting for a card or another method",
    ("payment", "processing"): "The bank was asked",
    ("payment", "requires_action"): "Waiting for the shopper to confirm",
    ("payment", "authorised"): "The bank holds the money",
    ("payment", "captured"): "The payment was captured",
    ("payment", "failed"): "The payment failed",
    ("payment", "cancelled"): "The payment was cancelled",
    ("payment", "expired"): "The payment expired",
    ("order", "pending"): "The order was created",
    ("order", "completed"): "The order was paid",
    ("order", "cancelled"): "The order was cancelled",
    ("anomaly", "open"): "The money was set aside",
    ("anomaly", "refunding"): "It was decided to give it back",
    ("anomaly", "refunded"): "It was given back to the shopper",
    ("anomaly", "applying"): "It was decided that it pays an order",
    ("anomaly", "applied"): "It paid another order",
    ("anomaly", "accepted"): "It was accepted as it was",
    ("refund", "requested"): "The refund was asked for and waits for a second person",
    ("refund", "approved"): "The refund was approved",
    ("refund", "unsent"): "It left: the provider was asked",
    ("refund", "sent"): "It was sent to the bank",
    ("refund", "succeeded"): "The money went back",
    ("refund", "failed"): "The refund failed; the money did not go back",
    ("refund", "cancelled"): "The refund was called off",
    ("correction", "requested"): "The correction was asked for",
    ("correction", "posted"): "It was approved and booked",
    ("correction", "refused"): "It was refused; nothing was booked",
    ("correction", "withdrawn"): "It was withdrawn; nothing was booked",
    ("payment_link", "active"): "The link was made",
    ("payment_link", "ended"): "The link ended",
    ("checkout_session", "open"): "A checkout link was opened",
    ("checkout_session", "complete"): "The checkout link was used",
    ("checkout_session", "expired"): "The checkout link ended",
}
#: Where it matters whence it came: the noun, the state before, the state after.
COMING_FROM: dict[tuple[str, str, str], str] = {
    ("payment", "processing", "awaiting_method"): "The try was declined; no money moved",
    ("payment", "requires_action", "awaiting_method"): "The try was declined; no money moved",
    ("refund", "", "approved"): "The refund was asked for",
    ("refund", "succeeded", "succeeded"): "The bank gave its reference",
    ("anomaly", "open", "open"): "Somebody proposed what becomes of it",
    ("anomaly", "refunding", "open"): "It waits for a decision again",
    ("anomaly", "refunded", "open"): "It waits for a decision again",
    ("anomaly", "applying", "open"): "It waits for a decision again",
}
ACTORS: dict[str, str] = {
    "system": "by Paydeck",
    "provider": "as the provider reported",
    "user": "by the shopper",
    "shopper": "by the shopper",
    "admin": "by a platform admin",
    "api": "through the API",
    "merchant_user": "by a colleague",
}


@dataclass(frozen=True, slots=True)
class Subject:
    """Something else that a timeline tells of as well: its name, and where its own page is."""

    name: str
    href: str


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """One thing that happened, in a sentence, with who and why; `about` where it is of another."""

    at: str
    sentence: str
    detail: str
    by: str
    tone: str
    icon: str
    is_technical: bool
    about: Subject | None = None


@dataclass(frozen=True, slots=True)
class Timeline:
    """What happened, newest first, and apart from it what only a technician wants to read."""

    rows: tuple[TimelineRow, ...]
    technical: tuple[TimelineRow, ...]


def timeline_of(
    moves: Sequence[Move],
    names: Mapping[str, str],
    zone: str,
    *,
    subjects: Mapping[str, Subject] | None = None,
) -> Timeline:
    """Return moves as sentences, newest first; `names` are people of the merchant by user id.

    `subjects` are, by id, the objects whose moves stand among those of the page's own.
    """
    newest_first = sorted(moves, key=_when, reverse=True)
    others = subjects or {}
    rows = [
        replace(_row(move, names, zone), about=others.get(move.subject_id)) for move in newest_first
    ]
    # a payment's newest move says how it stands, so that it is never folded away
    if rows and newest_first[0].noun == "payment":
        rows[0] = replace(rows[0], is_technical=False)
    return Timeline(
        rows=tuple(row for row in rows if not row.is_technical),
        technical=tuple(row for row in rows if row.is_technical),
    )


def named_refunds(found: Iterable[Refund], page_of: Callable[[str], str]) -> dict[str, Subject]:
    """Return what a payment's timeline calls its refunds, by id; `page_of` gives their pages."""
    return {
        one.id: Subject(f"Refund of {words.money_text(one.amount)}", page_of(one.id))
        for one in found
    }


def _when(move: Move) -> tuple[dt.datetime, str, int]:
    return (move.at, move.noun, move.version)


def _row(move: Move, names: Mapping[str, str], zone: str) -> TimelineRow:
    shown = pill(move.noun, move.target)
    usual = TITLES[move.noun, move.target]
    title = COMING_FROM.get((move.noun, move.source, move.target), usual)
    known = names.get(move.actor_id or "")
    return TimelineRow(
        at=words.moment_text(move.at, zone),
        sentence=title,
        detail="" if _says_the_same(title, move.because) else move.because,
        by=f"by {known}" if known else ACTORS.get(move.actor_kind, f"by {move.actor_kind}"),
        tone="neutral" if shown.tone == "progress" else shown.tone,
        icon=shown.icon,
        is_technical=move.target in TECHNICAL[move.noun],
    )


def _says_the_same(title: str, because: str) -> bool:
    return because.rstrip(".").casefold() == title.casefold()
