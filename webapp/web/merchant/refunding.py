"""Refunding a payment: the panel on its page, its preview, and the one button that begins it."""

from __future__ import annotations

from flask import flash, g, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp import orders, payments, refunds
from webapp.kernel import words
from webapp.kernel.errors import Invalid, Refusal
from webapp.kernel.paging import PageRequest
from webapp.payments import Payment
from webapp.web.merchant.door import actor, blueprint, must
from webapp.web.merchant.payment_views import payment_page
from webapp.web.merchant.refund_forms import RefundForm, read_refund_form
from webapp.web.merchant.refund_panel import refund_panel, why_no_refund
from webapp.web.shared.errors import status_of
from webapp.web.shared.forms import once_per_form

FRAGMENT = "X-Fragment"


@blueprint.get("/payments/<string:payment_id>/refund")
def refund_form(payment_id: str) -> str | tuple[str, int]:
    """Show the payment with its refund panel open, prefilled with all that is left."""
    must("refund")
    payment = payments.payment_of(g.merchant.id, payment_id).payment
    if reason := why_no_refund(payment):
        raise refunds.RefundNotPossible(reason)
    return _page(payment)


@blueprint.post("/payments/<string:payment_id>/refund/preview")
def preview_refund(payment_id: str) -> str:
    """Show what the typed refund would do, and do nothing."""
    must("refund")
    payment = payments.payment_of(g.merchant.id, payment_id).payment
    form = read_refund_form(request.form, payment)
    if FRAGMENT in request.headers:
        return render_template("merchant/_preview.html", panel=refund_panel(payment, form))
    only_amount = {name: says for name, says in form.errors.items() if name == "amount"}
    form.errors.clear()
    form.errors.update(only_amount)
    return _page(payment, form)


@blueprint.post("/payments/<string:payment_id>/refunds")
def start_refund(payment_id: str) -> Response | tuple[str, int]:
    """Ask for the refund; the same form sent twice asks once, and a stale amount asks nothing."""
    must("refund")
    payment = payments.payment_of(g.merchant.id, payment_id).payment
    form = read_refund_form(request.form, payment)
    if form.errors or form.amount is None:
        return _page(payment, form), 400
    try:
        return once_per_form(lambda: _begin(payment, form), livemode=g.merchant.livemode)
    except Refusal as refusal:
        now = payments.payment_of(g.merchant.id, payment_id).payment
        return _refused(now, form, refusal)


def _begin(payment: Payment, form: RefundForm) -> str:
    if form.amount is None:
        raise Invalid("Enter an amount.", param="amount")
    refund = refunds.request(
        payment.id,
        amount=form.amount,
        reason=form.reason,
        note=form.note,
        destination=form.destination,
        target_order_id=_target(form),
        seen_available=form.seen,
        by=actor(),
    )
    flash(_told(refund), "success")
    return url_for("merchant.payment", payment_id=payment.id)


def _target(form: RefundForm) -> str | None:
    """Return the id of the open order whose number was typed; raises Invalid naming the field."""
    if form.destination != refunds.Destination.ORDER_CREDIT:
        return None
    asked = orders.OrderFilter(status="pending", text=form.target_number)
    page = PageRequest(limit=10)
    found = orders.orders_of(g.merchant.id, livemode=g.merchant.livemode, asked=asked, page=page)
    for order in found.rows:
        if form.target_number in {order.number, order.id}:
            return order.id
    raise Invalid("You have no unpaid order of that number.", param="target_order")


def _told(refund: refunds.Refund) -> str:
    amount = words.money_text(refund.amount)
    if refund.status == refunds.Status.REQUESTED:
        return f"The refund of {amount} waits for a second person to approve it."
    if refunds.frozen() is not None:
        return f"The refund of {amount} waits until refunds are let go again. You can undo it."
    seconds = int(refunds.limits().undo.total_seconds())
    return f"The refund of {amount} leaves in {seconds} seconds. Until then you can undo it."


def _refused(payment: Payment, form: RefundForm, refusal: Refusal) -> tuple[str, int]:
    name = {"target_order_id": "target_order"}.get(refusal.param or "", refusal.param or "amount")
    form.errors[name] = refusal.message
    return _page(payment, form), status_of(refusal)


def _page(payment: Payment, form: RefundForm | None = None) -> str:
    return render_template(
        "merchant/payment.html",
        view=payment_page(payment.id),
        panel=refund_panel(payment, form),
    )
