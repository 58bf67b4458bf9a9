"""Webhook endpoints: list, add, change, pause, resume, roll the secret, remove."""

from __future__ import annotations

from collections.abc import Callable

from flask import flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp import webhooks
from webapp.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from webapp.web.merchant.door import actor, blueprint, must, why_not
from webapp.web.merchant.workbench.endpoint_forms import (
    ALL,
    BUILT_IN,
    CHOSEN,
    OVERLAPS,
    OWN,
    USUAL_OVERLAP,
    EndpointForm,
    event_choices,
    event_groups,
    read_endpoint_form,
    read_overlap,
)
from webapp.web.merchant.workbench.endpoint_views import (
    ANSWERS,
    endpoint_list,
    endpoint_page,
    endpoint_row,
    has_receiver,
)
from webapp.web.shared.errors import status_of
from webapp.web.shared.forms import once_per_form
from webapp.web.shared.typed_again import shown_again
from webapp.webhooks import EVERYTHING, Change, Endpoint, NewEndpoint

SENT_TWICE = (
    "That form was sent before, and it was done then. The secret was shown once, in the first "
    "answer. If you did not see it, roll the secret."
)
MANAGE = "manage_webhooks"
Made = tuple[Endpoint, str]


@blueprint.get("/developers/webhooks")
def hooks() -> str:
    """Show the merchant's endpoints of this mode."""
    return render_template(
        "merchant/developers/webhooks/list.html", rows=endpoint_list(), why_not=why_not(MANAGE)
    )


@blueprint.get("/developers/webhooks/live")
def hooks_live() -> str:
    """Return the list alone, for the script that keeps it fresh."""
    return render_template(
        "merchant/developers/webhooks/_list.html", rows=endpoint_list(), why_not=why_not(MANAGE)
    )


@blueprint.get("/webhooks/<string:endpoint_id>")
def hook_by_letter(endpoint_id: str) -> Response:
    """Lead from the address that letters give to the endpoint's page."""
    return redirect(url_for("merchant.hook", endpoint_id=endpoint_id))


@blueprint.get("/developers/webhooks/new")
def new_hook() -> str:
    """Show the form for a new endpoint."""
    must(MANAGE)
    return _form_page(EndpointForm(target=BUILT_IN if has_receiver() else OWN))


@blueprint.post("/developers/webhooks")
def create_hook() -> Response | str | tuple[str, int]:
    """Add an endpoint and show its secret; the same form sent again adds none and shows none."""
    must(MANAGE)
    form = _typed()
    if form.errors:
        return _form_page(form), 400
    new = NewEndpoint(
        url=form.url if form.is_built_in else webhooks.look_up(form.url, whose=g.merchant.id),
        events=form.events,
        description=form.description,
        secret=form.secret or None,
        is_built_in=form.is_built_in,
    )
    try:
        return _shown_once(
            lambda: webhooks.create_endpoint(
                g.merchant.id, new, livemode=g.merchant.livemode, by=actor()
            )
        )
    except (Invalid, Conflict, Forbidden, webhooks.TooManyLookups) as wrong:
        form.errors[wrong.param or "target"] = wrong.message
        return _form_page(form), status_of(wrong)


@blueprint.get("/developers/webhooks/<string:endpoint_id>")
def hook(endpoint_id: str) -> str:
    """Show one endpoint: how it fares, what waits, its deliveries, and what can be done."""
    return render_template(
        "merchant/developers/webhooks/endpoint.html",
        view=endpoint_page(endpoint_id),
        overlaps=list(OVERLAPS.items()),
        overlap=USUAL_OVERLAP,
        events=event_choices(),
        answers=[(answer.value, says) for answer, says in ANSWERS.items()],
    )


@blueprint.get("/developers/webhooks/<string:endpoint_id>/live")
def hook_live(endpoint_id: str) -> str:
    """Return the part of the endpoint's page that changes, for the script that keeps it fresh."""
    return render_template(
        "merchant/developers/webhooks/_endpoint.html", view=endpoint_page(endpoint_id)
    )


@blueprint.get("/developers/webhooks/<string:endpoint_id>/edit")
def edit_hook(endpoint_id: str) -> str:
    """Show the form that changes an endpoint."""
    must(MANAGE)
    endpoint = webhooks.endpoint_of(g.merchant.id, endpoint_id)
    form = EndpointForm(
        target=BUILT_IN if endpoint.is_built_in else OWN,
        url=endpoint.url,
        reach=ALL if EVERYTHING in endpoint.events else CHOSEN,
        chosen=frozenset(endpoint.events),
        description=endpoint.description,
    )
    return _form_page(form, endpoint)


@blueprint.post("/developers/webhooks/<string:endpoint_id>/edit")
def change_hook(endpoint_id: str) -> Response | tuple[str, int]:
    """Change an endpoint's address, events and description."""
    must(MANAGE)
    endpoint = webhooks.endpoint_of(g.merchant.id, endpoint_id)
    form = _typed(BUILT_IN if endpoint.is_built_in else OWN)
    if form.errors:
        return _form_page(form, endpoint), 400
    change = Change(
        url=None if endpoint.is_built_in else form.url,
        events=form.events,
        description=form.description,
    )
    try:
        webhooks.update_endpoint(endpoint_id, change, by=actor())
    except Invalid as wrong:
        form.errors[wrong.param or "url"] = wrong.message
        return _form_page(form, endpoint), status_of(wrong)
    flash("The endpoint was changed. It counts for what happens from now on.", "success")
    return _back(endpoint_id)


@blueprint.post("/developers/webhooks/<string:endpoint_id>/pause")
def pause_hook(endpoint_id: str) -> Response:
    """Keep an endpoint's events for later."""
    _own(endpoint_id)
    webhooks.pause(endpoint_id, by=actor())
    flash("The endpoint is paused. Its events are kept and wait.", "success")
    return _back(endpoint_id)


@blueprint.post("/developers/webhooks/<string:endpoint_id>/resume")
def resume_hook(endpoint_id: str) -> Response:
    """Send to an endpoint again, what waited first."""
    _own(endpoint_id)
    webhooks.resume(endpoint_id, by=actor())
    flash("The endpoint is on. What waited is sent first.", "success")
    return _back(endpoint_id)


@blueprint.post("/developers/webhooks/<string:endpoint_id>/roll-secret")
@shown_again(hook, "overlap")
def roll_hook_secret(endpoint_id: str) -> Response:
    """Give an endpoint a new secret and show it once; the old one signs too for the while."""
    _own(endpoint_id)
    overlap = read_overlap(request.form)
    if overlap is None:
        raise Invalid("Choose from the list when the old secret ends.", param="overlap")
    return _shown_once(
        lambda: webhooks.roll_secret(endpoint_id, overlap=overlap, by=actor()), was_rolled=True
    )


@blueprint.post("/developers/webhooks/<string:endpoint_id>/delete")
def delete_hook(endpoint_id: str) -> Response:
    """Remove an endpoint for good; a second press finds it gone and says so."""
    must(MANAGE)
    try:
        webhooks.endpoint_of(g.merchant.id, endpoint_id)
        webhooks.delete_endpoint(endpoint_id, by=actor())
    except NotFound:
        flash("That endpoint is not there, or was removed before.", "warning")
    else:
        flash("The endpoint was removed. Nothing more is sent there.", "success")
    return redirect(url_for("merchant.hooks"), code=303)


def _own(endpoint_id: str) -> Endpoint:
    """Return an endpoint that the person may change; raises Forbidden and NotFound."""
    must(MANAGE)
    return webhooks.endpoint_of(g.merchant.id, endpoint_id)


def _typed(target: str | None = None) -> EndpointForm:
    typed = request.form.to_dict()
    if target is not None:
        typed["target"] = target
    return read_endpoint_form(typed, request.form.getlist("event"))


def _shown_once(make: Callable[[], Made], *, was_rolled: bool = False) -> Response:
    """Answer with the page that shows the secret; a second sending leads to the endpoint."""
    made: list[Made] = []

    def work() -> str:
        made.append(make())
        return url_for("merchant.hook", endpoint_id=made[0][0].id)

    answer = once_per_form(work, livemode=g.merchant.livemode)
    if not made:
        flash(SENT_TWICE, "warning")
        return answer
    endpoint, secret = made[0]
    return Response(
        render_template(
            "merchant/developers/webhooks/secret.html",
            row=endpoint_row(endpoint),
            secret=secret,
            was_rolled=was_rolled,
            old_until=endpoint.old_secret_until,
        ),
        mimetype="text/html",
    )


def _form_page(form: EndpointForm, endpoint: Endpoint | None = None) -> str:
    return render_template(
        "merchant/developers/webhooks/form.html",
        form=form,
        summary=[{"field": name, "message": says} for name, says in form.errors.items()],
        groups=event_groups(),
        has_receiver=has_receiver(),
        row=endpoint_row(endpoint) if endpoint else None,
    )


def _back(endpoint_id: str) -> Response:
    return redirect(url_for("merchant.hook", endpoint_id=endpoint_id), code=303)
