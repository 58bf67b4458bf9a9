"""The blueprint with its one guard, who acts behind it, and what they may not do."""

from __future__ import annotations

from flask import Blueprint, g, redirect, request, session, url_for
from werkzeug.wrappers import Response

from webapp import accounts
from webapp.kernel.errors import Forbidden, NotFound
from webapp.outbox import Actor
from webapp.web.shared.guards import CHOSEN_MERCHANT, guard, merchant_door

blueprint = guard(Blueprint("merchant", __name__, url_prefix="/merchant"), merchant_door)


@blueprint.context_processor
def live_topic() -> dict[str, object]:
    """Give the pages the topic that their live parts listen to; the server checks it again."""
    if g.get("merchant") is None:
        return {}
    mode = "live" if g.merchant.livemode else "test"
    return {"live_topic": f"merchant:{g.merchant.id}:{mode}"}


@blueprint.post("/switch")
def switch() -> Response:
    """Choose another merchant that the person belongs to, and go to its home."""
    chosen = request.form.get("merchant", "")
    if chosen not in {member.merchant_id for member in g.person.memberships}:
        raise NotFound
    session[CHOSEN_MERCHANT] = chosen
    return redirect(url_for("merchant.home"), code=303)


def actor() -> Actor:
    """Return the person at the keyboard, for moves and the audit trail."""
    return Actor("merchant_user", g.person.user_id)


def why_not(act: str) -> str | None:
    """Return why the person cannot do `act` here, or None."""
    return accounts.why_not_at_merchant(g.person, g.merchant.id, act)


def must(act: str) -> None:
    """Raise Forbidden with the reason when the person cannot do `act` here."""
    if reason := why_not(act):
        raise Forbidden(reason)
