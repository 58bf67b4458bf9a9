"""The admin's board of everything that is not done, and its button that looks now."""

from __future__ import annotations

from flask import flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp import accounts, audit, gateway, payments, refunds
from webapp.kernel import db
from webapp.kernel.errors import Invalid, NotFound
from webapp.web.admin import janitor_rows
from webapp.web.admin.door import acting, blueprint
from webapp.web.admin.janitor_rows import CALL, KINDS, MESSAGE, PAYMENT, REFUND


@blueprint.get("/admin/janitor")
def janitor() -> Response:
    """Show everything that is not final: whom it waits for, the next check, the deadline."""
    return make_response(render_template("admin/janitor.html", **_board()))


@blueprint.get("/admin/janitor/now")
def janitor_now() -> Response:
    """Give the live part of the board."""
    return make_response(render_template("admin/_janitor.html", **_board()))


@blueprint.post("/admin/janitor/check")
def janitor_check() -> Response:
    """Have one thing on the board looked at now, and write that down."""
    kind, subject_id = request.form.get("kind", ""), request.form.get("id", "")
    checks = {
        PAYMENT: ask_about_payment,
        REFUND: ask_about_refund,
        CALL: _check_call,
        MESSAGE: _check_message,
    }
    if kind not in checks:
        raise Invalid("There is nothing of that kind to check.", param="kind")
    checks[kind](subject_id)
    flash("It is looked at now. The board shows what comes of it.", "success")
    return redirect(url_for("admin.janitor", kind=request.args.get("kind")), code=303)


def ask_about_payment(payment_id: str) -> None:
    """Ask the provider about a payment as its merchant's door would, and write that down."""
    found = payments.any_payment(payment_id).payment
    with db.scoped(db.Scope(merchant_id=found.merchant_id, livemode=found.livemode)):
        payments.check_now(payment_id)
    with db.transaction():
        audit.record(
            "payment.checked", "payment", payment_id, by=acting(), merchant_id=found.merchant_id
        )


def ask_about_refund(refund_id: str) -> None:
    """Ask the provider about a refund as its merchant's door would, and write that down."""
    found = refunds.any_refund(refund_id).refund
    with db.scoped(db.Scope(merchant_id=found.merchant_id, livemode=found.livemode)):
        refunds.check_now(refund_id)
    with db.transaction():
        audit.record(
            "refund.checked", "refund", refund_id, by=acting(), merchant_id=found.merchant_id
        )


def _check_call(operation_id: str) -> None:
    with db.transaction():
        found = gateway.operation_row(operation_id)
        if found is None or not gateway.operations.hurry(operation_id):
            raise NotFound("This call waits for nobody any more.")
        audit.record(
            "operation.hurried",
            "operation",
            operation_id,
            by=acting(),
            merchant_id=found.merchant_id,
            livemode=found.livemode,
        )


def _check_message(event_id: str) -> None:
    with db.transaction():
        if not gateway.inbox.retry(event_id):
            raise NotFound("This message is applied already.")
        audit.record("provider_event.retried", "provider_event", event_id, by=acting())


def _board() -> dict[str, object]:
    kind = request.args.get("kind") or None
    if kind is not None and kind not in KINDS:
        raise Invalid("There is nothing of that kind on the board.", param="kind")
    rows, counts = janitor_rows.board(kind)
    return {
        "kind": kind,
        "rows": rows,
        "counts": counts,
        "late": janitor_rows.late_first(rows),
        "names": [(name, label) for name, (label, _ask) in KINDS.items()],
        "sellers": accounts.merchant_cards(row.merchant_id or "" for row in rows),
    }
