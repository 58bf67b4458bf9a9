"""Held money: take all or part of it, or let it go; both asked of the provider by a worker."""

from __future__ import annotations

from flask import flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp import payments
from webapp.kernel import words
from webapp.kernel.errors import Invalid
from webapp.kernel.money import parse_money
from webapp.web.merchant.door import actor, blueprint, must
from webapp.web.merchant.hold_views import HoldForm
from webapp.web.merchant.payment_views import payment_page

MAX_REASON = 200


@blueprint.post("/payments/<string:payment_id>/capture")
def capture(payment_id: str) -> Response | tuple[str, int]:
    """Take held money: what was typed, or all of it; sent twice it is taken once."""
    must("capture")
    payment = payments.payment_of(g.merchant.id, payment_id).payment
    typed = request.form.get("amount", "")
    try:
        amount = parse_money(typed, payment.currency)
        payments.capture(payment_id, amount=amount, by=actor())
    except Invalid as wrong:
        return _again(payment_id, HoldForm(typed=typed, error=wrong.message))
    flash(f"{words.money_text(amount)} is being taken. This page shows when it is done.", "success")
    return _back(payment_id)


@blueprint.post("/payments/<string:payment_id>/void")
def void(payment_id: str) -> Response | tuple[str, int]:
    """Let held money go, for a reason that is kept; the shopper is charged nothing."""
    must("capture")
    payments.payment_of(g.merchant.id, payment_id)
    because = request.form.get("because", "").strip()
    if wrong := _why_not_because(because):
        return _again(payment_id, HoldForm(because=because, because_error=wrong))
    payments.void(payment_id, because=because, by=actor())
    flash("The money is being let go. The shopper is charged nothing.", "success")
    return _back(payment_id)


def _why_not_because(because: str) -> str | None:
    if not because:
        return "Say why the money is let go, in a few words."
    if len(because) > MAX_REASON:
        return f"Keep the reason to {MAX_REASON} characters."
    return None


def _again(payment_id: str, form: HoldForm) -> tuple[str, int]:
    view = payment_page(payment_id, hold=form)
    return render_template("merchant/payment.html", view=view), 400


def _back(payment_id: str) -> Response:
    return redirect(url_for("merchant.payment", payment_id=payment_id), code=303)
