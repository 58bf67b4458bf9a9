"""What waits for somebody: money set aside and what becomes of it, refunds, money held."""

from __future__ import annotations

from functools import partial

from flask import flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp import payments, refunds
from webapp.payments import Anomaly
from webapp.web.merchant.attention_views import attention_view
from webapp.web.merchant.door import actor, blueprint, must
from webapp.web.merchant.lists import asked_page
from webapp.web.merchant.set_aside import set_aside_list, set_aside_page
from webapp.web.shared.deciding import ACCEPTED, PROPOSED, chosen_order, decide, returning_says


@blueprint.get("/attention")
def needs_attention() -> str:
    """Show everything that waits for a person, the most urgent first."""
    return render_template("merchant/attention.html", view=attention_view())


@blueprint.get("/attention/live")
def needs_attention_live() -> str:
    """Return the part that changes, for the script that keeps it fresh."""
    return render_template("merchant/_attention.html", view=attention_view())


@blueprint.get("/set-aside")
def set_aside_rows() -> str:
    """Show all money of the merchant that was set aside, by what becomes of it."""
    return render_template("merchant/set_aside_rows.html", view=set_aside_list(asked_page()))


@blueprint.get("/set-aside/live")
def set_aside_rows_live() -> str:
    """Return the list alone, for the script that keeps it fresh."""
    return render_template("merchant/_set_aside_list.html", view=set_aside_list(asked_page()))


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
    give_back = partial(refunds.refund_set_aside, anomaly_id, by=actor())
    decide("anomaly.given_back", found, give_back, by=actor())
    return _done(anomaly_id, returning_says(anomaly_id))


@blueprint.post("/attention/<string:anomaly_id>/apply")
def apply_set_aside(anomaly_id: str) -> Response:
    """Have the money pay an open order that asks for just as much."""
    found = _deciding(anomaly_id)
    order_id = chosen_order(found, request.form.get("order", ""))
    _approving(found, order_id)
    applying = partial(payments.apply_to_order, anomaly_id, order_id, by=actor())
    waits = decide("anomaly.applied", found, applying, by=actor(), order=order_id)
    return _done(anomaly_id, PROPOSED if waits else "The money is being booked to the order.")


@blueprint.post("/attention/<string:anomaly_id>/accept")
def accept_set_aside(anomaly_id: str) -> Response:
    """Let a payment that was too small count as the payment of its order."""
    found = _deciding(anomaly_id)
    _approving(found, payments.payment_of(g.merchant.id, found.payment_id).order.id)
    accepting = partial(payments.accept_anomaly, anomaly_id, by=actor())
    waits = decide("anomaly.accepted", found, accepting, by=actor())
    return _done(anomaly_id, PROPOSED if waits else ACCEPTED)


def _deciding(anomaly_id: str) -> Anomaly:
    must("refund")
    return payments.anomaly_of(g.merchant.id, anomaly_id)


def _approving(found: Anomaly, order_id: str) -> None:
    """Refuse a second signature of somebody who may not approve; the first is everybody's."""
    if found.proposed_order_id == order_id and found.proposed_by != actor().id:
        must("approve_refund")


def _done(anomaly_id: str, says: str) -> Response:
    flash(says, "success")
    return redirect(url_for("merchant.set_aside", anomaly_id=anomaly_id), code=303)
