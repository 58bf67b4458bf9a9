"""What people type to make or roll an API key, read strictly; every refusal names its field."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from webapp import accounts
from webapp.accounts import KeyKind

#: What the resources that a key may reach are called on pages.
RESOURCES: dict[str, str] = {
    "customers": "Customers",
    "orders": "Orders",
    "checkout_sessions": "Checkout sessions",
    "payment_links": "Payment links",
    "payments": "Payments",
    "refunds": "Refunds",
    "wallets": "Wallets",
    "ledger": "Balance",
    "webhooks": "Webhook endpoints",
    "events": "Events",
    "api_keys": "API keys",
    "analytics": "Figures",
    "payment_methods": "Payment methods",
    "requests": "Log of requests",
    "test_clock": "Test clock",
}
#: Of these there is nothing to write.
READ_ONLY = frozenset({"ledger", "analytics", "requests"})
LIVES: dict[str, str] = {
    "": "Never",
    "7": "In 7 days",
    "30": "In 30 days",
    "90": "In 90 days",
    "365": "In a year",
}
#: By hours, how long the old key may go on after a roll.
OVERLAPS: dict[str, str] = {
    "0": "At once",
    "1": "In 1 hour",
    "24": "In 24 hours",
    "72": "In 3 days",
    "168": "In 7 days",
}
USUAL_OVERLAP = "24"


@dataclass(frozen=True, slots=True)
class KeyForm:
    """The form for a new key: what was typed, what it means where it is right, what is wrong."""

    typed: Mapping[str, str]
    errors: dict[str, str] = field(default_factory=dict)
    name: str = ""
    kind: str = KeyKind.SECRET
    scopes: list[str] | None = None
    life: dt.timedelta | None = None


def read_key_form(typed: Mapping[str, str]) -> KeyForm:
    """Read the form for a new key; `errors` holds one sentence for each field that is wrong."""
    errors: dict[str, str] = {}
    name, kind, days = typed.get("name", ""), typed.get("kind", ""), typed.get("lasts", "")
    if not name.strip():
        errors["name"] = "Give the key a name, so that you know it again."
    if kind not in set(KeyKind):
        errors["kind"] = "Choose a secret or a publishable key."
    if days not in LIVES:
        errors["lasts"] = "Choose from the list when the key ends."
        days = ""
    scopes = None
    if kind == KeyKind.SECRET and typed.get("reach") != "all":
        scopes = _scopes(typed)
        if not scopes:
            errors["reach"] = "Choose at least one thing that the key may do."
    life = dt.timedelta(days=int(days)) if days else None
    return KeyForm(typed=typed, errors=errors, name=name, kind=kind, scopes=scopes, life=life)


def read_overlap(typed: Mapping[str, str]) -> dt.timedelta | None:
    """Return how long the old key goes on, or None where none of the choices was sent."""
    hours = typed.get("overlap", "")
    return dt.timedelta(hours=int(hours)) if hours in OVERLAPS else None


def acts_on(resource: str) -> list[tuple[str, str]]:
    """Return what a key may be given on a resource, as choices of a list."""
    reading = [("", "Nothing"), ("read", "Read")]
    return reading if resource in READ_ONLY else [*reading, ("write", "Read and write")]


def _scopes(typed: Mapping[str, str]) -> list[str]:
    asked = (f"{resource}:{typed.get(f'scope_{resource}', '')}" for resource in RESOURCES)
    return [scope for scope in asked if scope in accounts.SCOPES]
