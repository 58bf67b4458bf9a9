"""Refunds of all merchants for the admin: list, look at, approve, refuse, ask the provider."""

from __future__ import annotations

from dataclasses import replace

from flask import flash, g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp import accounts, audit, gateway, refunds
from webapp.kernel import db
from webapp.kernel.errors import Invalid
from webapp.refunds import Refund, RefundFilter
from webapp.web.admin.door import acting, blueprint
from webapp.web.admin.janitor import ask_about_refund
from webapp.web.admin.lists import asked_list
from webapp.web.merchant.timelines import timeline_of
from webapp.web.shared.explained import explained_state
from webapp.web.shared.pills import PILLS, pill
from webapp.web.shared.refund_words import DESTINATIONS, FROZEN, REASONS, approved_says, standing
from webapp.web.shared.typed_again import shown_again


@blueprint.get("/admin/refunds")
def refunds_list() -> Response:
    """Show all refunds, newest first, filtered by what the address says."""
    asked = asked_list()
    if asked.status is not None and asked.status not in PILLS["refund"]:
        raise Invalid("There is no such status.", param="status")
    statuses = (asked.status,) if asked.status else ()
    wanted = RefundFilter(statuses=statuses, text=asked.typed or None)
    page = refunds.refunds_everywhere(asked=wanted, page=asked.page)
    return make_response(
        render_template(
            "admin/refunds.html",
            page=page,
            asked=asked,
            names=[(name, shown.label) for name, shown in PILLS["refund"].items()],
            frozen=refunds.frozen(),
            standing=standing,
            sellers=accounts.merchant_cards(row.refund.merchant_id or "" for row in page.rows),
        )
    )


@blueprint.get("/admin/refunds/<refund_id>")
def refund(refund_id: str) -> Response:
    """Show one refund with its calls to the provider; looking is written down."""
    found = refunds.any_refund(refund_id).refund
    with db.transaction():
        audit.record(
            "refund.viewed", "refund", refund_id, by=acting(), merchant_id=found.merchant_id
        )
    return make_response(render_template("admin/refund.html", **_refund_page(refund_id)))


@blueprint.get("/admin/refunds/<refund_id>/live")
def refund_live(refund_id: str) -> Response:
    """Return the part of the page that changes, for the script that keeps it fresh."""
    return make_response(render_template("admin/_refund.html", **_refund_page(refund_id)))


@blueprint.post("/admin/refunds/<refund_id>/approve")
def approve_refund(refund_id: str) -> Response:
    """Approve a refund as its second person."""
    refunds.approve(refund_id, by=acting())
    flash(approved_says(is_frozen=refunds.frozen() is not None), "success")
    return _back(refund_id)


@blueprint.post("/admin/refunds/<refund_id>/refuse")
@shown_again(refund, "because")
def refuse_refund(refund_id: str) -> Response:
    """Refuse a refund that waits for approval, for a reason that is kept."""
    refunds.refuse(refund_id, because=request.form.get("because", ""), by=acting())
    flash("The refund was refused. Nothing was sent.", "success")
    return _back(refund_id)


@blueprint.post("/admin/refunds/<refund_id>/check")
def check_refund(refund_id: str) -> Response:
    """Ask the provider about a refund now, as its merchant's door would, and write that down."""
    ask_about_refund(refund_id)
    flash("The provider was asked. The answer appears here.", "success")
    return _back(refund_id)


def _refund_page(refund_id: str) -> dict[str, object]:
    detail = refunds.any_refund(refund_id)
    found, stop = detail.refund, refunds.frozen()
    because = detail.moves[-1].because if detail.moves else ""
    refusal = refunds.why_not_approve(found, acting())
    return {
        "found": found,
        "detail": detail,
        "pill": pill("refund", found.status),
        "says": standing(found, is_frozen=stop is not None, because=because),
        "reason": REASONS[found.reason],
        "way": DESTINATIONS[found.destination],
        "explained": _explained(found, is_frozen=stop is not None),
        "frozen": stop,
        "seller": accounts.merchant_card(found.merchant_id or ""),
        "operations": gateway.operations_of(refund_id),
        "timeline": timeline_of(detail.moves, {acting().id or "": "you"}, g.zone),
        "why_not_approve": refusal.message if refusal else None,
        "is_under_way": found.status in refunds.UNDER_WAY,
    }


def _explained(found: Refund, *, is_frozen: bool) -> object:
    advice = refunds.advice_on(found.failure_code) if found.status == "failed" else None
    usual = explained_state(
        refunds.FLOW.states[found.status],
        tone=pill("refund", found.status).tone,
        check_at=found.check_at,
        deadline_at=found.deadline_at,
        zone=g.zone,
        text=f"{advice.says} {advice.do}" if advice else "",
    )
    if found.status == "approved" and is_frozen:
        return replace(usual, title=FROZEN, owner="An admin who lets refunds leave again")
    if found.status != "requested":
        return usual
    is_own = refunds.why_not_approve(found, acting()) is not None
    return replace(usual, owner="A second person" if is_own else "A second person: you may approve")


def _back(refund_id: str) -> Response:
    return redirect(url_for("admin.refund", refund_id=refund_id), code=303)
