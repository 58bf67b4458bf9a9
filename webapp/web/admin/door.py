"""The admin blueprint, behind its one guard, with every page's routes on it."""

from __future__ import annotations

from flask import Blueprint, g

from webapp.outbox import Actor
from webapp.web.shared.guards import admin_door, guard

blueprint = guard(Blueprint("admin", __name__), admin_door)


def acting() -> Actor:
    """Return the signed-in admin as the one who does something."""
    return Actor("admin", g.person.user_id)


from webapp.web.admin import merchants, overview, payments, users  # noqa: E402, F401 - add routes
