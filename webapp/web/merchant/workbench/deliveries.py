"""Deliveries: one with all its tries, compared with another, sent again anywhere."""

from __future__ import annotations

from flask import flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp import webhooks
from webapp.web.merchant.door import actor, blueprint, must
from webapp.web.merchant.workbench.delivery_views import delivery_page, differences
from webapp.web.merchant.workbench.endpoint_views import targets
from webapp.web.shared.forms import once_per_form


@blueprint.get("/developers/deliveries/<string:delivery_id>")
def hook_delivery(delivery_id: str) -> str:
    """Show one delivery: what was sent, every try and answer, and where to send it again."""
    view = delivery_page(delivery_id)
    other = request.args.get("with", "")
    return render_template(
        "merchant/developers/webhooks/delivery.html",
        view=view,
        targets=targets(view.endpoint_id),
        other=other,
        changes=differences(delivery_id, other) if other else None,
    )


@blueprint.get("/developers/deliveries/<string:delivery_id>/live")
def hook_delivery_live(delivery_id: str) -> str:
    """Return the delivery's tries alone, for the script that keeps them fresh."""
    return render_template(
        "merchant/developers/webhooks/_tries.html", view=delivery_page(delivery_id)
    )


@blueprint.post("/developers/deliveries/<string:delivery_id>/resend")
def resend_delivery(delivery_id: str) -> Response:
    """Send a delivery's event again, to any endpoint of the merchant."""
    must("manage_webhooks")
    webhooks.delivery_of(g.merchant.id, delivery_id)
    to = request.form.get("to") or None
    if to is not None:
        webhooks.endpoint_of(g.merchant.id, to)

    def work() -> str:
        fresh = webhooks.resend(delivery_id, by=actor(), to=to)
        flash("It is on its way again. This is the new delivery.", "success")
        return url_for("merchant.hook_delivery", delivery_id=fresh)

    return once_per_form(work, livemode=g.merchant.livemode)


@blueprint.get("/developers/deliveries")
def hook_deliveries() -> Response:
    """Lead to the endpoints, whose pages list the deliveries."""
    return redirect(url_for("merchant.hooks"))
