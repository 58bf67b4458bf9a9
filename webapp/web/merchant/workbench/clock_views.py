"""What the page of the test clock shows: what waits, in words, and what a move came to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import g, url_for

from webapp import test_clock
from webapp.kernel import clock, words
from webapp.kernel.waits import Wait
from webapp.web.merchant.door import why_not
from webapp.web.merchant.workbench.delivery_views import subject_href

SHOWN = 50
#: What a kind is called, one of them and several.
NAMES: dict[str, tuple[str, str]] = {
    "checkout_session": ("checkout link", "checkout links"),
    "payment_link": ("payment link", "payment links"),
    "held_payment": ("held payment", "held payments"),
    "payment_confirmation": ("payment to be confirmed", "payments to be confirmed"),
    "refund": ("refund about to leave", "refunds about to leave"),
    "refund_approval": ("refund to be approved", "refunds to be approved"),
    "delivery": ("webhook delivery", "webhook deliveries"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """How far a button moves the clock."""

    seconds: int
    label: str


STEPS = (
    Step(15 * 60, "15 minutes"),
    Step(60 * 60, "1 hour"),
    Step(24 * 60 * 60, "1 day"),
    Step(7 * 24 * 60 * 60, "7 days"),
)


@dataclass(frozen=True, slots=True)
class WaitLine:
    """One thing that waits, for the list: `left` is how long still, in words."""

    id: str
    label: str
    href: str | None
    kind: str
    at: dt.datetime
    left: str
    then: str


@dataclass(frozen=True, slots=True)
class ClockPage:
    """The soonest of what waits, how much of each kind there is, and why one may not move it."""

    rows: Sequence[WaitLine]
    count: int
    kinds: str
    why_not: str | None


def clock_page() -> ClockPage:
    """Return what of the merchant waits now, the soonest first; raises NoLiveClock in live mode."""
    found = test_clock.waiting_of(g.merchant.id, livemode=g.merchant.livemode, limit=SHOWN)
    soonest = sorted(
        (one for kind in found for one in kind.soonest), key=lambda one: (one.at, one.id)
    )
    return ClockPage(
        rows=[_line(one) for one in soonest[:SHOWN]],
        count=sum(kind.count for kind in found),
        kinds=counted({kind.kind.name: kind.count for kind in found}),
        why_not=why_not("move_clock"),
    )


def said_of(step: Step, moved: Mapping[str, int]) -> str:
    """Return what moving the clock came to, in a sentence."""
    if not any(moved.values()):
        return "Nothing was waiting, so nothing came nearer."
    return f"{step.label} nearer: {counted(moved)}. What is due now happens within seconds."


def counted(counts: Mapping[str, int]) -> str:
    """Return how many there are of each kind, those of which there are none left out."""
    return ", ".join(
        f"{count:,} {words_for[count != 1]}"
        for kind, words_for in NAMES.items()
        if (count := counts.get(kind, 0))
    )


def _line(one: Wait) -> WaitLine:
    return WaitLine(
        id=one.id,
        label=one.label,
        href=_href(one),
        kind=NAMES[one.kind.name][0].capitalize(),
        at=one.at,
        left=words.relative_text(one.at, clock.now()),
        then=one.kind.then,
    )


def _href(one: Wait) -> str | None:
    if one.kind.name == "payment_link":
        return url_for("merchant.payment_link", link_id=one.about)
    if one.kind.name == "delivery":
        return url_for("merchant.hook_delivery", delivery_id=one.about)
    return subject_href(one.about)
