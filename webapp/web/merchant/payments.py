"""Payments: list, look at, unmask the shopper (audited), export."""

from __future__ import annotations

from flask import Response, g, make_response, render_template, request

from webapp import analytics, audit, payments
from webapp.kernel import db
from webapp.web.merchant import filters
from webapp.web.merchant.door import actor, blueprint, must
from webapp.web.merchant.exports import payment_lines, streamed
from webapp.web.merchant.lists import asked_page
from webapp.web.merchant.payment_views import payment_list, payment_page


@blueprint.get("/payments")
def payment_rows() -> str:
    """Show the merchant's payments that the filters of the address select."""
    return render_template(
        "merchant/payments.html",
        view=payment_list(asked_page()),
        currency_choices=[("", "All"), *((code, code) for code in _currencies())],
        method_choices=[("", "All"), *filters.METHODS.items()],
    )


@blueprint.get("/payments/live")
def payment_rows_live() -> str:
    """Return the list alone, for the script that keeps it fresh."""
    return render_template("merchant/_payments.html", view=payment_list(asked_page()))


@blueprint.get("/payments/export.csv")
def export_payments() -> Response:
    """Stream every payment that the filters select as CSV; taking it away is audited."""
    asked = filters.read(request.args)
    found = payments.every_payment_of(
        g.merchant.id,
        livemode=g.merchant.livemode,
        asked=filters.selection(asked, g.merchant.timezone),
    )
    return streamed("payments", asked.kept(), payment_lines(found, g.merchant.timezone))


@blueprint.get("/payments/<string:payment_id>")
def payment(payment_id: str) -> str:
    """Show one payment: its state explained, its tries, its money, what happened."""
    return render_template("merchant/payment.html", view=payment_page(payment_id))


@blueprint.get("/payments/<string:payment_id>/live")
def payment_live(payment_id: str) -> str:
    """Return the part of the payment's page that changes, for the script that keeps it fresh."""
    return render_template("merchant/_payment.html", view=payment_page(payment_id))


@blueprint.post("/payments/<string:payment_id>/unmask")
def unmask(payment_id: str) -> Response:
    """Show the shopper's address once, and write down who looked."""
    must("unmask")
    payments.payment_of(g.merchant.id, payment_id)
    with db.transaction():
        audit.record(
            "payment.unmasked",
            "payment",
            payment_id,
            by=actor(),
            data={"fields": ["email"]},
            merchant_id=g.merchant.id,
            livemode=g.merchant.livemode,
        )
    view = payment_page(payment_id, unmasked=True)
    return make_response(render_template("merchant/payment.html", view=view))


def _currencies() -> list[str]:
    used = analytics.currencies(g.merchant.id, g.merchant.livemode)
    asked = filters.read(request.args).currency
    return sorted({*used, asked} - {""})
