"""The blueprint with its one guard, who acts behind it, and what they may not do."""

from __future__ import annotations

from flask import Blueprint, g, redirect, request, session, url_for
from werkzeug.wrappers import Response

from webapp import accounts
from webapp.kernel.errors import Forbidden, Invalid, NotFound
from webapp.outbox import Actor
from webapp.web.shared.guards import CHOSEN_MERCHANT, CHOSEN_MODE, MODES, guard, merchant_door
from webapp.web.shared.shell import MERCHANT

#: What ends at the provider sooner or later: done only in the mode in which there is one.
OF_THE_PROVIDER = frozenset({"create_order", "cancel_order", "capture", "refund", "approve_refund"})
DEVELOPERS = "/merchant/developers"
TABS = ("keys", "webhooks", "events", "requests", "guide", "exam", "test-clock")
blueprint = guard(Blueprint("merchant", __name__, url_prefix="/merchant"), merchant_door)


@blueprint.context_processor
def live_topic() -> dict[str, object]:
    """Give the pages the topic that their live parts listen to; the server checks it again."""
    if g.get("merchant") is None:
        return {}
    return {"live_topic": f"merchant:{g.merchant.id}:{g.merchant.mode}"}


@blueprint.post("/switch")
def switch() -> Response:
    """Choose another merchant that the person belongs to, and go to its home."""
    chosen = request.form.get("merchant", "")
    if chosen not in {member.merchant_id for member in g.person.memberships}:
        raise NotFound
    session[CHOSEN_MERCHANT] = chosen
    return redirect(url_for("merchant.home"), code=303)


@blueprint.post("/mode")
def choose_mode() -> Response:
    """Choose the mode whose things the merchant's pages show, and come back to the same list."""
    chosen = request.form.get("mode", "")
    if chosen not in MODES:
        raise Invalid("Choose test or live.", param="mode")
    session[CHOSEN_MODE] = chosen
    return redirect(list_of(request.form.get("path", "")), code=303)


def list_of(path: str) -> str:
    """Return the list that a page belongs to: what it shows itself may be of one mode alone."""
    lists = [f"{DEVELOPERS}/{tab}" for tab in TABS] + [entry.href for entry in MERCHANT]
    above = [one for one in lists if path == one or path.startswith(f"{one}/")]
    return max(above, key=len, default=MERCHANT[0].href)


def actor() -> Actor:
    """Return the person at the keyboard, for moves and the audit trail."""
    return Actor("merchant_user", g.person.user_id)


def why_not(act: str) -> str | None:
    """Return why the person cannot do `act` here, or None."""
    if reason := accounts.why_not_at_merchant(g.person, g.merchant.id, act):
        return reason
    if act in OF_THE_PROVIDER and not g.merchant.is_connected:
        return (
            f"This installation is not connected to a payment provider in {g.merchant.mode} mode."
        )
    return None


def must(act: str) -> None:
    """Raise Forbidden with the reason when the person cannot do `act` here."""
    if reason := why_not(act):
        raise Forbidden(reason)
