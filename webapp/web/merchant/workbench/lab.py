"""The webhook lab: test events, ranges sent again, the built-in receiver, doubles and disorder."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask import flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp import webhooks
from webapp.kernel import clock
from webapp.kernel.errors import Invalid
from webapp.kernel.paging import PageRequest
from webapp.kernel.words import zone
from webapp.web.merchant.door import actor, blueprint, must, why_not
from webapp.web.merchant.workbench.delivery_views import indented
from webapp.web.merchant.workbench.endpoint_views import EndpointRow, endpoint_row, targets
from webapp.web.shared.forms import once_per_form
from webapp.webhooks import Answer, Endpoint, Event, EventFilter, Receipt

Choice = Callable[[Sequence[Event]], list[Event]]
MANAGE = "manage_webhooks"
DISORDERED = 5
LOOKED_AT = 100
NOTHING_YET = "Nothing has happened yet that this endpoint chose. Pay an order first."
NO_ORDER_YET = (
    "No order or payment has had two events yet that this endpoint chose. Pay an order first."
)
HOUR = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class RangePage:
    """What a range would send again: as typed, and how much it is once it makes sense."""

    row: EndpointRow
    since: str
    until: str
    only_failed: bool
    to: str
    count: int | None
    error: str | None
    why_not: str | None


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """One thing that the built-in receiver got; `is_again` where its id had come before."""

    id: str
    webhook_id: str
    name: str
    at: dt.datetime
    answered: int
    is_signed: bool
    is_again: bool
    headers: str
    body: str


@blueprint.post("/developers/webhooks/<string:endpoint_id>/test")
def test_hook(endpoint_id: str) -> Response:
    """Send an endpoint the example of an event, rightly signed or tampered with."""
    _own(endpoint_id)
    name, is_tampered = request.form.get("name", ""), request.form.get("signature") == "wrong"

    def work() -> str:
        send = webhooks.tampered_event if is_tampered else webhooks.test_event
        fresh = send(endpoint_id, name, by=actor())
        what = "whose signature does not fit " if is_tampered else ""
        flash(f"A test of {name} {what}is on its way.", "success")
        return url_for("merchant.hook_delivery", delivery_id=fresh)

    return once_per_form(work, livemode=g.merchant.livemode)


@blueprint.get("/developers/webhooks/<string:endpoint_id>/resend")
def hook_range(endpoint_id: str) -> str:
    """Show how many events a range would send again, before anything is sent."""
    endpoint = webhooks.endpoint_of(g.merchant.id, endpoint_id)
    view = _range_page(endpoint)
    return render_template(
        "merchant/developers/webhooks/range.html", view=view, targets=targets(endpoint_id)
    )


@blueprint.post("/developers/webhooks/<string:endpoint_id>/resend")
def resend_hook_range(endpoint_id: str) -> Response:
    """Send again what happened in a range, to this endpoint or another of the merchant."""
    _own(endpoint_id)
    since, until = _moment("since"), _moment("until")
    to = request.form.get("to") or endpoint_id
    webhooks.endpoint_of(g.merchant.id, to)

    def work() -> str:
        count = webhooks.resend_range(
            endpoint_id,
            since,
            until,
            only_failed=request.form.get("only") == "failed",
            by=actor(),
            to=to,
        )
        flash(f"{_events(count)} on the way again.", "success")
        return url_for("merchant.hook", endpoint_id=to)

    return once_per_form(work, livemode=g.merchant.livemode)


@blueprint.post("/developers/webhooks/<string:endpoint_id>/answer")
def set_hook_answer(endpoint_id: str) -> Response:
    """Tell the built-in receiver what to answer from now on."""
    _own(endpoint_id)
    try:
        answer = Answer(request.form.get("answer", ""))
    except ValueError as wrong:
        raise Invalid("Choose an answer from the list.", param="answer") from wrong
    webhooks.set_answer(endpoint_id, answer, by=actor())
    flash("The receiver answers so from the next delivery on.", "success")
    return redirect(url_for("merchant.hook", endpoint_id=endpoint_id), code=303)


@blueprint.get("/developers/webhooks/<string:endpoint_id>/received")
def hook_received(endpoint_id: str) -> str:
    """Show what the built-in receiver got, newest first."""
    endpoint = webhooks.endpoint_of(g.merchant.id, endpoint_id)
    return render_template(
        "merchant/developers/webhooks/received.html",
        row=endpoint_row(endpoint),
        receipts=_receipts(webhooks.receipts_of(endpoint_id)),
    )


@blueprint.get("/developers/webhooks/<string:endpoint_id>/received/live")
def hook_received_live(endpoint_id: str) -> str:
    """Return what the receiver got alone, for the script that keeps it fresh."""
    endpoint = webhooks.endpoint_of(g.merchant.id, endpoint_id)
    return render_template(
        "merchant/developers/webhooks/_received.html",
        row=endpoint_row(endpoint),
        receipts=_receipts(webhooks.receipts_of(endpoint_id)),
    )


@blueprint.post("/developers/webhooks/<string:endpoint_id>/twice")
def send_twice(endpoint_id: str) -> Response:
    """Send the newest event of the merchant to an endpoint twice, with one id."""

    def twice(events: Sequence[Event]) -> list[Event]:
        return [*events[:1], *events[:1]]

    says = "The newest event is on its way twice, with the same id."
    return _rehearse(endpoint_id, twice, says, else_says=NOTHING_YET)


@blueprint.post("/developers/webhooks/<string:endpoint_id>/disorder")
def send_disordered(endpoint_id: str) -> Response:
    """Send the newest events of one object to an endpoint, the latest first."""
    says = "The newest events of one object are on their way, the latest first."
    return _rehearse(endpoint_id, latest_first, says, else_says=NO_ORDER_YET)


def latest_first(events: Sequence[Event]) -> list[Event]:
    """Return up to five events of one object, of some newest first; none where none has two."""
    of_object: dict[str, list[Event]] = {}
    for event in events:
        of_object.setdefault(event.subject_id, []).append(event)
    found = next((several for several in of_object.values() if len(several) > 1), [])
    return found[:DISORDERED]


def _rehearse(endpoint_id: str, choose: Choice, says: str, *, else_says: str) -> Response:
    endpoint = _own(endpoint_id)
    names = () if webhooks.EVERYTHING in endpoint.events else tuple(endpoint.events)
    page = webhooks.events_of(
        g.merchant.id,
        livemode=g.merchant.livemode,
        only=EventFilter(names=names, is_test=False),
        page=PageRequest(limit=LOOKED_AT),
    )
    chosen = choose(page.rows)

    def work() -> str:
        for event in chosen:
            webhooks.resend_event(event.id, to=endpoint_id, by=actor())
        flash(says, "success")
        return url_for("merchant.hook", endpoint_id=endpoint_id)

    if not chosen:
        flash(else_says, "warning")
        return redirect(url_for("merchant.hook", endpoint_id=endpoint_id), code=303)
    return once_per_form(work, livemode=g.merchant.livemode)


def _own(endpoint_id: str) -> Endpoint:
    must(MANAGE)
    return webhooks.endpoint_of(g.merchant.id, endpoint_id)


def _range_page(endpoint: Endpoint) -> RangePage:
    typed, now = request.args, clock.now().astimezone(zone(g.merchant.timezone))
    since = typed.get("since") or f"{now - 24 * HOUR:%Y-%m-%dT%H:%M}"
    until = typed.get("until") or f"{now + HOUR:%Y-%m-%dT%H:%M}"
    only_failed = typed.get("only", "failed") == "failed"
    count, error = None, None
    try:
        moments = read_moment(since, "since"), read_moment(until, "until")
        count = webhooks.range_size(endpoint, *moments, only_failed=only_failed)
    except Invalid as wrong:
        error = wrong.message
    return RangePage(
        row=endpoint_row(endpoint),
        since=since,
        until=until,
        only_failed=only_failed,
        to=typed.get("to") or endpoint.id,
        count=count,
        error=error,
        why_not=why_not(MANAGE),
    )


def _moment(name: str) -> dt.datetime:
    return read_moment(request.form.get(name, ""), name)


def read_moment(typed: str, param: str) -> dt.datetime:
    """Return a moment typed in the merchant's zone; raises Invalid naming `param`."""
    try:
        found = dt.datetime.fromisoformat(typed)
    except ValueError as wrong:
        raise Invalid("Write a moment as 2026-11-21T14:05.", param=param) from wrong
    return found if found.tzinfo else found.replace(tzinfo=zone(g.merchant.timezone))


def _events(count: int) -> str:
    return "1 event is" if count == 1 else f"{count} events are"


def _receipts(found: Sequence[Receipt]) -> list[ReceiptLine]:
    lines: list[ReceiptLine] = []
    seen: set[str] = set()
    for one in reversed(found):
        lines.append(_receipt(one, is_again=one.webhook_id in seen))
        seen.add(one.webhook_id)
    return lines[::-1]


def _receipt(one: Receipt, *, is_again: bool) -> ReceiptLine:
    named = {name.lower(): value for name, value in one.headers.items()}
    return ReceiptLine(
        id=one.id,
        webhook_id=one.webhook_id,
        name=named.get("x-webhook-event", "Unknown"),
        at=one.at,
        answered=one.answered,
        is_signed=one.is_signed,
        is_again=is_again,
        headers="\n".join(f"{name}: {value}" for name, value in one.headers.items()),
        body=indented(one.body),
    )
