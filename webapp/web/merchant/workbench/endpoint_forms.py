"""What people type to add or change a webhook endpoint, read strictly; pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from webapp.webhooks import BY_NAME, EVERYTHING, EventKind

OWN, BUILT_IN = "own", "built_in"
ALL, CHOSEN = "all", "chosen"
#: What the groups of events are called, by how the names of their events begin.
GROUPS: dict[str, str] = {
    "order": "Orders",
    "payment_link": "Payment links",
    "checkout": "Checkout links",
    "payment": "Payments",
    "refund": "Refunds",
    "anomaly": "Money set aside",
    "endpoint": "Webhook endpoints",
}
#: By hours, how long the old secret goes on signing after a roll.
OVERLAPS: dict[str, str] = {
    "0": "At once",
    "1": "In 1 hour",
    "24": "In 24 hours",
    "72": "In 3 days",
    "168": "In 7 days",
}
USUAL_OVERLAP = "24"


@dataclass(frozen=True, slots=True)
class EndpointForm:
    """The form of an endpoint: what was typed, what it means, one sentence for what is wrong."""

    target: str = OWN
    url: str = ""
    reach: str = ALL
    chosen: frozenset[str] = frozenset()
    description: str = ""
    secret: str = ""
    form_key: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def events(self) -> Sequence[str]:
        """The events as the room takes them."""
        return [EVERYTHING] if self.reach == ALL else sorted(self.chosen)

    @property
    def is_built_in(self) -> bool:
        """Whether the demo's own receiver was chosen."""
        return self.target == BUILT_IN


def read_endpoint_form(typed: Mapping[str, str], chosen: Sequence[str]) -> EndpointForm:
    """Read the form of an endpoint; `errors` holds what is wrong without asking anybody."""
    form = EndpointForm(
        target=BUILT_IN if typed.get("target") == BUILT_IN else OWN,
        url=typed.get("url", "").strip(),
        reach=CHOSEN if typed.get("reach") == CHOSEN else ALL,
        chosen=frozenset(chosen) & BY_NAME.keys(),
        description=typed.get("description", "").strip(),
        secret=typed.get("secret", "").strip(),
        form_key=typed.get("form_key", ""),
    )
    if not form.is_built_in and not form.url:
        form.errors["url"] = "Give the address of your server, such as https://shop.example/hooks."
    if form.reach == CHOSEN and not form.chosen:
        form.errors["events"] = "Choose at least one event."
    return form


def read_overlap(typed: Mapping[str, str]) -> dt.timedelta | None:
    """Return how long the old secret goes on, or None where none of the choices was sent."""
    hours = typed.get("overlap", "")
    return dt.timedelta(hours=int(hours)) if hours in OVERLAPS else None


def event_groups() -> list[tuple[str, list[EventKind]]]:
    """Return every event that can be chosen, in groups with their labels."""
    grouped = groupby(BY_NAME.values(), key=lambda kind: kind.name.partition(".")[0])
    return [(GROUPS[start], list(kinds)) for start, kinds in grouped]


def event_choices() -> list[tuple[str, str]]:
    """Return every event as a choice of a list."""
    return [(name, name) for name in BY_NAME]
