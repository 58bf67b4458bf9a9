"""What waits for somebody: money set aside and what becomes of it, refunds, money held."""

from __future__ import annotations

from collections.abc import Callable

from flask import flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp import audit, payments, refunds
from webapp.kernel import db
from webapp.payments import Anomaly
from webapp.web.merchant.attention_views import attention_view
from webapp.web.merchant.door import actor, blueprint, must
from webapp.web.merchant.set_aside import set_aside_page
from webapp.web.shared.deciding import chosen_order, returning_says


@blueprint.get("/attention")
def needs_attention() -> str:
    """Show everything that waits for a person, the most urgent first."""
    return render_template("merchant/attention.html", view=attention_view())


@blueprint.get("/attention/live")
def needs_attention_live() -> str:
    """Return the part that changes, for the script that keeps it fresh."""
    return render_template("merchant/_attention.html", view=attention_view())


@blueprint.get("/attention/<string:anomaly_id>")
def set_aside(anomaly_id: str) -> str:
    """Show one amount that was set aside, and what can be decided about it."""
    return render_template("merchant/set_aside.html", view=set_aside_page(anomaly_id))


@blueprint.get("/attention/<string:anomaly_id>/live")
def set_aside_live(anomaly_id: str) -> str:
    """Return the part of that page that changes, for the script that keeps it fresh."""
    return render_template("merchant/_set_aside.html", view=set_aside_page(anomaly_id))


@blueprint.post("/attention/<string:anomaly_id>/give-back")
def return_set_aside(anomaly_id: str) -> Response:
    """Give the money back to the shopper, whole; sent twice it goes back once."""
    found = _deciding(anomaly_id)
    _decide(
        "anomaly.given_back", found, lambda: refunds.refund_set_aside(anomaly_id, by=actor()), {}
    )
    return _done(anomaly_id, returning_says(anomaly_id))


@blueprint.post("/attention/<string:anomaly_id>/apply")
def apply_set_aside(anomaly_id: str) -> Response:
    """Have the money pay an open order that asks for just as much."""
    found = _deciding(anomaly_id)
    order_id = chosen_order(found, request.form.get("order", ""))
    _decide(
        "anomaly.applied",
        found,
        lambda: payments.apply_to_order(anomaly_id, order_id, by=actor()),
        {"order": order_id},
    )
    return _done(anomaly_id, "The money is being booked to the order.")


@blueprint.post("/attention/<string:anomaly_id>/accept")
def accept_set_aside(anomaly_id: str) -> Response:
    """Let a payment that was too small count as the payment of its order."""
    found = _deciding(anomaly_id)
    _decide("anomaly.accepted", found, lambda: payments.accept_anomaly(anomaly_id, by=actor()), {})
    return _done(anomaly_id, "The amount is accepted; its order is being marked as paid.")


def _deciding(anomaly_id: str) -> Anomaly:
    must("refund")
    return payments.anomaly_of(g.merchant.id, anomaly_id)


def _decide(
    action: str, found: Anomaly, verb: Callable[[], object], told: dict[str, object]
) -> None:
    """Run the verb and write down who decided; a decision sent again is no second one."""
    is_news = found.status == "open"
    with db.transaction():
        verb()
        if is_news:
            audit.record(
                action, "anomaly", found.id, by=actor(), data=told,
                merchant_id=found.merchant_id, livemode=found.livemode,
            )  # fmt: skip


def _done(anomaly_id: str, says: str) -> Response:
    flash(says, "success")
    return redirect(url_for("merchant.set_aside", anomaly_id=anomaly_id), code=303)
