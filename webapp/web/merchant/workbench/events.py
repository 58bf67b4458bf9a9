"""Events: what happened to the merchant's objects, one after the other, and who was told."""

from __future__ import annotations

from flask import flash, g, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp import webhooks
from webapp.web.merchant.door import actor, blueprint, must
from webapp.web.merchant.workbench.endpoint_forms import event_choices
from webapp.web.merchant.workbench.endpoint_views import targets
from webapp.web.merchant.workbench.event_views import event_list, event_page
from webapp.web.shared.forms import once_per_form


@blueprint.get("/developers/events")
def event_rows() -> str:
    """Show the events that the filters of the address select."""
    return render_template(
        "merchant/developers/workbench/events.html",
        view=event_list(),
        names=[("", "All"), *event_choices()],
    )


@blueprint.get("/developers/events/live")
def event_rows_live() -> str:
    """Return the list alone, for the script that keeps it fresh."""
    return render_template("merchant/developers/workbench/_events.html", view=event_list())


@blueprint.get("/developers/events/<string:event_id>")
def event_row(event_id: str) -> str:
    """Show one event: its payload, what changed, who caused it, and its deliveries."""
    return render_template(
        "merchant/developers/workbench/event.html", view=event_page(event_id), targets=targets()
    )


@blueprint.post("/developers/events/<string:event_id>/resend")
def send_event(event_id: str) -> Response:
    """Send an event to an endpoint, whether it was sent there before or not."""
    must("manage_webhooks")
    webhooks.event_of(g.merchant.id, event_id)
    to = request.form.get("to", "")
    webhooks.endpoint_of(g.merchant.id, to)

    def work() -> str:
        fresh = webhooks.resend_event(event_id, to=to, by=actor())
        flash("It is on its way. This is the delivery.", "success")
        return url_for("merchant.hook_delivery", delivery_id=fresh)

    return once_per_form(work, livemode=g.merchant.livemode)
