"""Checkout links that this browser made: the token is told once, so that it is kept in its cookie.

Whoever else looks at the order makes a fresh link, which ends the older one.
"""

from __future__ import annotations

from flask import session

KEPT = "checkout_links"
AT_MOST = 3


def keep(session_id: str, token: str) -> None:
    """Keep the token of a session that was just opened; the oldest of four is forgotten."""
    links: list[list[str]] = session.get(KEPT, [])
    session[KEPT] = [[session_id, token], *links][:AT_MOST]


def token_for(session_id: str) -> str | None:
    """Return the token of a checkout session if this browser opened it."""
    return dict(session.get(KEPT, [])).get(session_id)
