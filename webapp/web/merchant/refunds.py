"""Refunds: list, look at, undo, approve, refuse, ask the bank again, export."""

from __future__ import annotations

from flask import (
    Response,
    flash,
    g,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.wrappers import Response as AnyResponse

from webapp import accounts, analytics, audit, refunds
from webapp.kernel import db
from webapp.web.merchant import refund_filters
from webapp.web.merchant.door import actor, blueprint, must
from webapp.web.merchant.exports import streamed
from webapp.web.merchant.lists import asked_page
from webapp.web.merchant.refund_exports import refund_lines
from webapp.web.merchant.refund_views import refund_list, refund_page
from webapp.web.shared.refund_words import REASONS, approved_says
from webapp.web.shared.typed_again import shown_again

#: What to say of a refund that was called off, by how it stood.
CALLED_OFF = {
    "requested": "You withdrew the refund. Nothing was sent.",
    "approved": "The refund was undone. Nothing was sent.",
}


@blueprint.get("/refunds")
def refund_rows() -> str:
    """Show the merchant's refunds that the filters of the address select."""
    used = analytics.currencies(g.merchant.id, g.merchant.livemode)
    return render_template(
        "merchant/refunds.html",
        view=refund_list(asked_page()),
        currency_choices=[("", "All"), *((code, code) for code in used)],
        reason_choices=[("", "All"), *REASONS.items()],
    )


@blueprint.get("/refunds/live")
def refund_rows_live() -> str:
    """Return the list alone, for the script that keeps it fresh."""
    return render_template("merchant/_refunds.html", view=refund_list(asked_page()))


@blueprint.get("/refunds/export.csv")
def export_refunds() -> Response:
    """Stream every refund that the filters select as CSV; taking it away is audited."""
    asked = refund_filters.read(request.args)
    found = refunds.every_refund_of(
        g.merchant.id,
        livemode=g.merchant.livemode,
        asked=refund_filters.selection(asked, g.merchant.timezone),
    )
    return streamed("refunds", asked.kept(), refund_lines(found, g.merchant.timezone))


@blueprint.get("/refunds/<string:refund_id>")
def refund(refund_id: str) -> str:
    """Show one refund: how it stands and why, who asked, what happened."""
    return render_template("merchant/refund.html", view=refund_page(refund_id))


@blueprint.get("/refunds/<string:refund_id>/live")
def refund_live(refund_id: str) -> str:
    """Return the part of the refund's page that changes, for the script that keeps it fresh."""
    return render_template("merchant/_refund.html", view=refund_page(refund_id))


@blueprint.post("/refunds/<string:refund_id>/undo")
def undo_refund(refund_id: str) -> AnyResponse:
    """Call a refund off before it leaves; pressed again it changes nothing."""
    must("refund")
    found = refunds.refund_of(g.merchant.id, refund_id)
    was = found.refund.status
    refunds.undo(refund_id, by=actor())
    flash(CALLED_OFF.get(was, "The refund was called off before; nothing was sent."), "success")
    return redirect(url_for("merchant.payment", payment_id=found.payment.id), code=303)


@blueprint.post("/refunds/<string:refund_id>/approve")
def approve_refund(refund_id: str) -> AnyResponse:
    """Approve a refund that somebody else asked for."""
    must("approve_refund")
    refunds.refund_of(g.merchant.id, refund_id)
    refunds.approve(refund_id, by=actor())
    flash(approved_says(is_frozen=refunds.frozen() is not None), "success")
    return _back(refund_id)


@blueprint.post("/refunds/<string:refund_id>/refuse")
@shown_again(refund, "because")
def refuse_refund(refund_id: str) -> AnyResponse:
    """Refuse a refund that waits for approval, or withdraw one's own, for a reason."""
    must("refund")
    refunds.refund_of(g.merchant.id, refund_id)
    refunds.refuse(refund_id, because=request.form.get("because", ""), by=actor())
    flash("The refund was refused. Nothing was sent.", "success")
    return _back(refund_id)


@blueprint.post("/refunds/<string:refund_id>/check")
def check_refund(refund_id: str) -> AnyResponse:
    """Ask the provider now how the refund stands; ten times a quarter of an hour at most."""
    must("refund")
    refunds.refund_of(g.merchant.id, refund_id)
    try:
        accounts.note_try(accounts.CHECK_PAYMENT, refund_id, request.remote_addr or "")
    except accounts.TooManyTries:
        flash("The provider was asked often enough just now. Its answer appears here.", "warning")
        return _back(refund_id)
    refunds.check_now(refund_id)
    with db.transaction():
        audit.record(
            "refund.checked",
            "refund",
            refund_id,
            by=actor(),
            merchant_id=g.merchant.id,
            livemode=g.merchant.livemode,
        )
    flash("The provider was asked. The answer appears here.", "success")
    return _back(refund_id)


@blueprint.post("/refunds/<string:refund_id>/dealt-with")
def deal_with_refund(refund_id: str) -> AnyResponse:
    """Take a failed refund off the list of what waits; no money moves."""
    must("refund")
    refunds.refund_of(g.merchant.id, refund_id)
    refunds.deal_with(refund_id, by=actor())
    flash("The failed refund is marked as dealt with. No money moved.", "success")
    return _back(refund_id)


@blueprint.post("/refunds/<string:refund_id>/take-up")
def take_up_refund(refund_id: str) -> AnyResponse:
    """Have a failed refund wait for somebody again."""
    must("refund")
    refunds.refund_of(g.merchant.id, refund_id)
    refunds.take_up(refund_id, by=actor())
    flash("The failed refund waits for somebody again.", "success")
    return _back(refund_id)


def _back(refund_id: str) -> AnyResponse:
    return redirect(url_for("merchant.refund", refund_id=refund_id), code=303)
