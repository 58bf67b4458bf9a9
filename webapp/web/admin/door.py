"""The admin blueprint, behind its one guard, with every page's routes on it."""

from __future__ import annotations

from flask import Blueprint, g

from webapp.outbox import Actor
from webapp.web.shared.guards import admin_door, guard

blueprint = guard(Blueprint("admin", __name__), admin_door)


def acting() -> Actor:
    """Return the signed-in admin as the one who does something."""
    return Actor("admin", g.person.user_id)


from webapp.web.admin import (  # noqa: E402 - add routes
    anomalies,  # noqa: F401
    books,  # noqa: F401
    corrections,  # noqa: F401
    dead_letters,  # noqa: F401
    invariants,  # noqa: F401
    janitor,  # noqa: F401
    merchants,  # noqa: F401
    overview,  # noqa: F401
    payments,  # noqa: F401
    provider_events,  # noqa: F401
    refunds,  # noqa: F401
    users,  # noqa: F401
)
