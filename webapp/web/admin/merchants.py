"""The admin's pages about merchants; looking into one is written to the audit trail."""

from __future__ import annotations

from flask import flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp import accounts, audit, payments
from webapp.kernel import crypto, db
from webapp.kernel.errors import Invalid
from webapp.kernel.paging import PageRequest
from webapp.web.admin.door import acting, blueprint
from webapp.web.admin.lists import asked_list
from webapp.web.admin.people import trail_about
from webapp.web.shared.guards import settings
from webapp.web.shared.typed_again import shown_again

SHORT = PageRequest(limit=10)
MAX_REASON = 300


@blueprint.get("/admin/merchants")
def merchants() -> Response:
    """Show all merchants, newest first."""
    asked = asked_list()
    page = accounts.merchants_page(asked.page, status=asked.status, name=asked.typed or None)
    counts = accounts.merchant_counts()
    return make_response(
        render_template("admin/merchants.html", page=page, asked=asked, counts=counts)
    )


@blueprint.get("/admin/merchants/<merchant_id>")
def merchant(merchant_id: str) -> Response:
    """Show one merchant, its people (masked) and newest payments."""
    with db.transaction():
        found = accounts.merchant_of(merchant_id)
        audit.record(
            "merchant.viewed", "merchant", merchant_id, by=acting(), merchant_id=merchant_id
        )
    livemode = settings().livemode
    members = [
        {"id": row.user.id, "name": crypto.mask_name(row.user.name),
         "email": crypto.mask_email(row.user.email), "role": str(row.role)}
        for row in accounts.members_of(merchant_id)
    ]  # fmt: skip
    page = payments.payments_of(
        merchant_id, livemode=livemode, asked=payments.PaymentFilter(), page=SHORT
    )
    return make_response(
        render_template(
            "admin/merchant.html",
            found=found,
            members=members,
            fee_bps=accounts.fee_bps_of(merchant_id),
            counts=payments.payment_counts(merchant_id, livemode=livemode),
            rows=page.rows,
            trail=trail_about("merchant", merchant_id),
        )
    )


@blueprint.post("/admin/merchants/<merchant_id>/suspend")
@shown_again(merchant, "because")
def suspend_merchant(merchant_id: str) -> Response:
    """Stop a merchant from selling, for a reason that is kept."""
    accounts.suspend_merchant(merchant_id, because=reason(), by=acting())
    flash("The merchant is suspended. Its checkouts take no new payments.", "success")
    return redirect(url_for("admin.merchant", merchant_id=merchant_id), code=303)


@blueprint.post("/admin/merchants/<merchant_id>/restore")
@shown_again(merchant, "because")
def restore_merchant(merchant_id: str) -> Response:
    """Let a suspended merchant sell again."""
    accounts.restore_merchant(merchant_id, because=reason(), by=acting())
    flash("The merchant can sell again.", "success")
    return redirect(url_for("admin.merchant", merchant_id=merchant_id), code=303)


def reason() -> str:
    """Return the reason that was typed; raises Invalid when there is none."""
    typed = request.form.get("because", "").strip()
    if not typed:
        raise Invalid("Say why, in a few words. The reason is kept.", param="because")
    if len(typed) > MAX_REASON:
        raise Invalid(f"Keep the reason to {MAX_REASON} characters.", param="because")
    if crypto.looks_like_card_number(typed):
        raise Invalid("Leave card numbers out: the reason is kept for good.", param="because")
    return typed
