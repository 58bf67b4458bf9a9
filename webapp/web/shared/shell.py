"""The portal's frame: which entries its navigation has, and who looks at it."""

from __future__ import annotations

from dataclasses import dataclass

from flask import g, request

from webapp.accounts import Person
from webapp.config import Settings


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the navigation."""

    label: str
    href: str
    icon: str
    is_exact: bool = False


SHOPPER = (
    Entry("Overview", "/home", "house", is_exact=True),
    Entry("Payments", "/home/payments", "receipt-text"),
    Entry("Wallet", "/wallet", "wallet"),
    Entry("Inbox", "/inbox", "inbox"),
    Entry("Account", "/account", "circle-user"),
)
MERCHANT = (
    Entry("Overview", "/merchant", "chart-column", is_exact=True),
    Entry("Payments", "/merchant/payments", "credit-card"),
    Entry("Orders", "/merchant/orders", "shopping-bag"),
    Entry("Payment links", "/merchant/payment-links", "link"),
    Entry("Refunds", "/merchant/refunds", "rotate-ccw"),
    Entry("Attention", "/merchant/attention", "triangle-alert"),
    Entry("Developers", "/merchant/developers", "code-xml"),
)
ADMIN = (
    Entry("Overview", "/admin", "gauge", is_exact=True),
    Entry("Merchants", "/admin/merchants", "store"),
    Entry("Users", "/admin/users", "users"),
    Entry("Payments", "/admin/payments", "credit-card"),
    Entry("Refunds", "/admin/refunds", "rotate-ccw"),
    Entry("Under way", "/admin/janitor", "loader-circle"),
    Entry("Set aside", "/admin/anomalies", "triangle-alert"),
    Entry("Dead letters", "/admin/dead-letters", "circle-x"),
    Entry("Provider", "/admin/provider-events", "inbox"),
    Entry("Money checks", "/admin/invariants", "shield-check"),
    Entry("Books", "/admin/books", "scale"),
    Entry("Corrections", "/admin/corrections", "receipt-text"),
    Entry("Audit", "/admin/audit", "scroll-text"),
    Entry("Health", "/admin/health", "heart-pulse"),
)
NAVIGATION = {"merchant": MERCHANT, "admin": ADMIN}
#: What the merchant's search looks through on the pages below an address; elsewhere, payments.
SEARCHES = {
    "/merchant/orders": ("/merchant/orders", "Search orders"),
    "/merchant/refunds": ("/merchant/refunds", "Search refunds"),
}
HOMES = {"merchant": "/merchant", "admin": "/admin"}


def frame(settings: Settings) -> dict[str, object]:
    """Return what the layouts read besides the person and the merchant."""
    person: Person | None = g.get("person")
    door = request.blueprint or ""
    found: dict[str, object] = {
        "nav": navigation(door) if person else [],
        "home_url": HOMES.get(door, "/home" if person else "/"),
        "realtime_url": settings.realtime_url,
        "topic": " ".join(topics(door, person)),
        "account_links": _places(person, door),
    }
    if door == "merchant":
        found |= {**_search(request.path), "query": request.args.get("q", "")}
    return found


def _search(path: str) -> dict[str, str]:
    """Return what the search of a merchant's page looks through: the things it is about."""
    for start, (url, label) in SEARCHES.items():
        if path.startswith(start):
            return {"search_url": url, "search_label": label}
    return {"search_url": "/merchant/payments", "search_label": "Search payments"}


def navigation(door: str) -> list[dict[str, object]]:
    """Return the entries of a door's navigation, with the one that is open marked."""
    return [
        {
            "label": entry.label,
            "href": entry.href,
            "icon": entry.icon,
            "active": request.path == entry.href
            or (not entry.is_exact and request.path.startswith(f"{entry.href}/")),
        }
        for entry in NAVIGATION.get(door, SHOPPER)
    ]


def topics(door: str, person: Person | None) -> list[str]:
    """Return the live topics that a door's pages listen to; the server checks them again."""
    if person is None:
        return []
    found = [f"user:{person.user_id}"]
    if door == "merchant" and g.get("merchant"):
        found.append(f"merchant:{g.merchant.id}:{g.merchant.mode}")
    if door == "admin":
        found.append("admin")
    return found


def _places(person: Person | None, door: str) -> list[dict[str, str]]:
    if person is None:
        return []
    places = []
    if door in NAVIGATION:
        places.append({"label": "My payments", "href": "/home", "icon": "house"})
    if person.memberships and door != "merchant":
        places.append({"label": "My business", "href": "/merchant", "icon": "store"})
    if person.is_admin and door != "admin":
        places.append({"label": "Administration", "href": "/admin", "icon": "gauge"})
    places.append({"label": "Account", "href": "/account", "icon": "circle-user"})
    return places
