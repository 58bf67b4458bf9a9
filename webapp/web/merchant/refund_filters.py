"""Filters of the refunds list as they stand in the address: read once, shown as chips; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from webapp.kernel.money import EXPONENTS
from webapp.refunds import RefundFilter
from webapp.web.merchant.filters import MAX_TEXT, bounds, day_of, known
from webapp.web.shared.refund_words import REASONS

#: Tab name in the address: its label, and the states that it shows.
TABS: dict[str, tuple[str, tuple[str, ...]]] = {
    "": ("All", ()),
    "approval": ("Needs approval", ("requested",)),
    "unsent": ("Not sent yet", ("approved", "unsent")),
    "sent": ("Sent to bank", ("sent",)),
    "refunded": ("Refunded", ("succeeded",)),
    "failed": ("Failed", ("failed",)),
    "off": ("Called off", ("cancelled",)),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """The filters as they stand in the address, each checked or empty."""

    status: str = ""
    currency: str = ""
    reason: str = ""
    q: str = ""
    since: str = ""
    until: str = ""

    def kept(self) -> dict[str, str]:
        """Return the filters in force as address parameters."""
        names = ("status", "currency", "reason", "q", "since", "until")
        return {name: value for name in names if (value := getattr(self, name))}


def read(args: Mapping[str, str]) -> Asked:
    """Read the filters of an address; what is not known is as if it were not there.

    Raises Invalid for a day that is none, since ignoring it would show the wrong rows.
    """
    return Asked(
        status=known(args, "status", TABS),
        currency=known(args, "currency", EXPONENTS),
        reason=known(args, "reason", REASONS),
        q=args.get("q", "").strip()[:MAX_TEXT],
        since=day_of(args, "since"),
        until=day_of(args, "until"),
    )


def selection(asked: Asked, zone: str) -> RefundFilter:
    """Return what the filters mean for the refunds room."""
    since, until = bounds(asked.since, asked.until, zone)
    return RefundFilter(
        statuses=TABS[asked.status][1],
        currency=asked.currency or None,
        reason=asked.reason or None,
        text=asked.q or None,
        since=since,
        until=until,
    )
