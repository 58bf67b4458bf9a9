"""The admin's pages about the provider's messages: what came, what came of it, and once more."""

from __future__ import annotations

import json
from typing import Any

from flask import flash, make_response, redirect, render_template, url_for
from werkzeug.wrappers import Response

from webapp import audit, gateway
from webapp.gateway import Standing
from webapp.kernel import crypto, db
from webapp.kernel.errors import Invalid, NotFound
from webapp.web.admin.door import acting, blueprint
from webapp.web.admin.lists import asked_list
from webapp.web.admin.people import trail_about
from webapp.web.shared.pills import PILLS

REFUSED = "refused"
#: Values that open something, or that name somebody; they are masked on the page.
MASKED = frozenset({"url", "stripe_js", "client_secret", "email", "name", "phone", "ip"})
MASK = "•••"


@blueprint.get("/admin/provider-events")
def provider_events() -> Response:
    """Show the provider's messages, newest first, by where they stand."""
    asked = asked_list()
    names = {name: shown.label for name, shown in PILLS["provider_event"].items()}
    if asked.status is not None and asked.status not in {*names, REFUSED}:
        raise Invalid("There is no such state.", param="status")
    if asked.status == REFUSED:
        return make_response(
            render_template(
                "admin/provider_events_refused.html",
                asked=asked,
                names=_tabs(names),
                refused=gateway.refused_events(),
            )
        )
    standing = Standing(asked.status) if asked.status else None
    page = gateway.events_page(asked.page, standing=standing, text=asked.typed or None)
    return make_response(
        render_template(
            "admin/provider_events.html",
            asked=asked,
            page=page,
            names=_tabs(names),
            aside=gateway.event_counts()[Standing.ERROR],
            refused=len(gateway.refused_events()),
        )
    )


@blueprint.get("/admin/provider-events/<event_id>")
def provider_event(event_id: str) -> Response:
    """Show one message with its content, secrets masked; looking is written down."""
    found = gateway.event_of(event_id)
    with db.transaction():
        audit.record(
            "provider_event.viewed",
            "provider_event",
            event_id,
            by=acting(),
            livemode=found.livemode,
        )
    found = gateway.event_of(event_id)
    shown = json.dumps(masked(found.payload), indent=2, ensure_ascii=False, sort_keys=True)
    return make_response(
        render_template(
            "admin/provider_event.html",
            event=found,
            payload=shown,
            trail=trail_about("provider_event", event_id),
        )
    )


@blueprint.post("/admin/provider-events/<event_id>/retry")
def retry_provider_event(event_id: str) -> Response:
    """Have a message that is not applied yet applied now, and write that down."""
    with db.transaction():
        if not gateway.inbox.retry(event_id):
            raise NotFound("There is no such message that still waits.")
        audit.record("provider_event.retried", "provider_event", event_id, by=acting())
    flash("The message is applied now. This page shows what comes of it.", "success")
    return redirect(url_for("admin.provider_event", event_id=event_id), code=303)


def masked(value: Any) -> Any:
    """Return a message with the values in MASKED, and addresses wherever they stand, masked."""
    if isinstance(value, dict):
        return {
            name: MASK if name in MASKED and isinstance(inner, str) else masked(inner)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [masked(one) for one in value]
    if isinstance(value, str) and "@" in value:
        return crypto.mask_email(value)
    return value


def _tabs(names: dict[str, str]) -> list[tuple[str, str]]:
    return [*names.items(), (REFUSED, "Refused at the door")]
