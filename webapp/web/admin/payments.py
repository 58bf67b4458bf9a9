"""The admin's pages about all merchants' payments; opening one is written to the audit trail."""

from __future__ import annotations

from flask import g, make_response, redirect, render_template, url_for
from werkzeug.wrappers import Response

from webapp import accounts, audit, gateway, outbox, payments, refunds
from webapp.kernel import db
from webapp.kernel.errors import Invalid
from webapp.payments import PaymentFilter
from webapp.web.admin.door import acting, blueprint
from webapp.web.admin.janitor import ask_about_payment
from webapp.web.admin.lists import asked_list
from webapp.web.merchant.money_lines import money_lines
from webapp.web.merchant.timelines import named_refunds, timeline_of
from webapp.web.shared.pills import PILLS, shown_pill


@blueprint.get("/admin/payments")
def payments_list() -> Response:
    """Show all payments, newest first, filtered by what the address says."""
    asked = asked_list()
    if asked.status is not None and asked.status not in PILLS["payment"]:
        raise Invalid("There is no such status.", param="status")
    statuses = (asked.status,) if asked.status else ()
    wanted = PaymentFilter(statuses=statuses, text=asked.typed or None)
    page = payments.payments_everywhere(asked=wanted, page=asked.page)
    return make_response(
        render_template(
            "admin/payments.html",
            page=page,
            names=[(name, shown.label) for name, shown in PILLS["payment"].items()],
            asked=asked,
            sellers=accounts.merchant_cards(row.payment.merchant_id or "" for row in page.rows),
        )
    )


@blueprint.get("/admin/payments/<payment_id>")
def payment(payment_id: str) -> Response:
    """Show one payment with its tries, calls to the provider and messages from it."""
    detail = payments.any_payment(payment_id)
    merchant_id = detail.payment.merchant_id
    refunded = refunds.refunds_of_payment(payment_id)
    named = named_refunds(refunded, lambda one: url_for("admin.refund", refund_id=one))
    moves = [
        *detail.moves,
        *outbox.moves_of("order", detail.order.id),
        *outbox.moves_of("refund", *named),
    ]
    with db.transaction():
        audit.record("payment.viewed", "payment", payment_id, by=acting(), merchant_id=merchant_id)
    return make_response(
        render_template(
            "admin/payment.html",
            detail=payments.any_payment(payment_id),
            pill=shown_pill(detail.payment),
            refunds=refunded,
            set_aside=payments.anomalies_of_payment(payment_id),
            state=payments.FLOW.states[detail.payment.status],
            seller=accounts.merchant_card(merchant_id or ""),
            money=money_lines(detail.payment, detail.payment.method_label or ""),
            timeline=timeline_of(moves, {}, g.zone, subjects=named),
            operations=gateway.operations_of(payment_id),
            events=gateway.events_of(payment_id),
            is_intact=detail.payment.is_intact(),
            under_way=payments.UNDER_WAY,
            advice_on=payments.advice_on,
            card_label=payments.card_label,
            pills=PILLS,
        )
    )


@blueprint.post("/admin/payments/<payment_id>/check")
def check_payment(payment_id: str) -> Response:
    """Ask the provider about a payment now, as its merchant's door would, and write that down."""
    ask_about_payment(payment_id)
    return redirect(url_for("admin.payment", payment_id=payment_id), code=303)
