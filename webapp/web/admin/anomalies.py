"""Money that was set aside: what waits, why, and the admin's decision about it."""

from __future__ import annotations

from functools import partial

from flask import flash, g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp import accounts, ledger, outbox, payments, refunds
from webapp.web.admin.door import acting, blueprint
from webapp.web.admin.lists import asked_list
from webapp.web.merchant.timelines import timeline_of
from webapp.web.shared.deciding import (
    ACCEPTED,
    PROPOSED,
    Reader,
    chosen_order,
    decide,
    decisions_about,
    returning_says,
)
from webapp.web.shared.pills import pill


@blueprint.get("/admin/anomalies")
def anomalies() -> Response:
    """Show the money that came and fits no order."""
    asked = asked_list()
    page = payments.open_anomalies(asked.page)
    sellers = accounts.merchant_cards(one.merchant_id or "" for one in page.rows)
    return make_response(
        render_template("admin/anomalies.html", page=page, sellers=sellers, asked=asked)
    )


@blueprint.get("/admin/anomalies/<anomaly_id>")
def anomaly(anomaly_id: str) -> Response:
    """Show one amount that was set aside, and what can be decided about it."""
    return make_response(render_template("admin/anomaly.html", **_anomaly_page(anomaly_id)))


@blueprint.get("/admin/anomalies/<anomaly_id>/live")
def anomaly_live(anomaly_id: str) -> Response:
    """Return the part of the page that changes, for the script that keeps it fresh."""
    return make_response(render_template("admin/_anomaly.html", **_anomaly_page(anomaly_id)))


@blueprint.post("/admin/anomalies/<anomaly_id>/give-back")
def give_back(anomaly_id: str) -> Response:
    """Give the money back to the shopper, whole; sent twice it goes back once."""
    found = payments.anomaly(anomaly_id)
    sending = partial(refunds.refund_set_aside, anomaly_id, by=acting())
    decide("anomaly.given_back", found, sending, by=acting())
    return _done(anomaly_id, returning_says(anomaly_id))


@blueprint.post("/admin/anomalies/<anomaly_id>/apply")
def apply_anomaly(anomaly_id: str) -> Response:
    """Have the money pay an open order that asks for just as much."""
    found = payments.anomaly(anomaly_id)
    order_id = chosen_order(found, request.form.get("order", ""))
    applying = partial(payments.apply_to_order, anomaly_id, order_id, by=acting())
    waits = decide("anomaly.applied", found, applying, by=acting(), order=order_id)
    return _done(anomaly_id, PROPOSED if waits else "The money is being booked to the order.")


@blueprint.post("/admin/anomalies/<anomaly_id>/accept")
def accept_anomaly(anomaly_id: str) -> Response:
    """Let a payment that was too small count as the payment of its order."""
    found = payments.anomaly(anomaly_id)
    accepting = partial(payments.accept_anomaly, anomaly_id, by=acting())
    waits = decide("anomaly.accepted", found, accepting, by=acting())
    return _done(anomaly_id, PROPOSED if waits else ACCEPTED)


def _anomaly_page(anomaly_id: str) -> dict[str, object]:
    found = payments.anomaly(anomaly_id)
    detail = payments.any_payment(found.payment_id)
    return {
        "found": found,
        "detail": detail,
        "pill": pill("anomaly", found.status),
        "state": payments.ANOMALY_FLOW.states[found.status],
        "seller": accounts.merchant_card(found.merchant_id or ""),
        "booked": ledger.transfer_by_reference(f"{payments.SET_ASIDE}:{found.payment_id}"),
        "decisions": decisions_about(found, detail.order, Reader(acting().id)),
        "refunds": refunds.refunds_of_anomaly(anomaly_id),
        "timeline": timeline_of(outbox.moves_of("anomaly", anomaly_id), {}, g.zone),
    }


def _done(anomaly_id: str, says: str) -> Response:
    flash(says, "success")
    return redirect(url_for("admin.anomaly", anomaly_id=anomaly_id), code=303)
