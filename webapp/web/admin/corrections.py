"""Corrections for the admin: prepare one and see what it does, ask for it, decide on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flask import flash, g, make_response, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from webapp import audit, corrections, ledger, payments
from webapp.corrections import Correction, CorrectionNotPossible, Kind, Proposal, Touched
from webapp.kernel import db
from webapp.kernel.errors import Invalid
from webapp.kernel.money import Money, parse_money
from webapp.ledger import Line, TransferDetail
from webapp.web.admin.books import LineView, account_names, line_views
from webapp.web.admin.door import acting, blueprint
from webapp.web.admin.lists import asked_list
from webapp.web.admin.merchants import reason
from webapp.web.admin.people import masked_names
from webapp.web.merchant.timelines import timeline_of
from webapp.web.shared.explained import explained_state
from webapp.web.shared.forms import once_per_form
from webapp.web.shared.guards import settings
from webapp.web.shared.pills import PILLS, pill
from webapp.web.shared.typed_again import shown_again

ROWS = 3
UNPROCESSABLE = 422
CONFLICT = 409


@dataclass(frozen=True, slots=True)
class TouchedView:
    """One account that a correction changes: what it holds before and after."""

    account: str
    before: Money
    change: Money
    after: Money
    is_overdrawn: bool


@dataclass(slots=True)
class Prepared:
    """What was typed on the page that prepares a correction, and what it comes to."""

    kind: Kind
    typed: list[tuple[str, str, str]]
    because: str
    proposal: Proposal | None = None
    errors: list[dict[str, str]] = field(default_factory=list)


@blueprint.get("/admin/corrections")
def corrections_list() -> Response:
    """Show all corrections, newest first."""
    asked = asked_list()
    if asked.status is not None and asked.status not in PILLS["correction"]:
        raise Invalid("There is no such status.", param="status")
    page = corrections.corrections_page(asked.page, status=asked.status)
    return make_response(
        render_template(
            "admin/corrections.html",
            page=page,
            asked=asked,
            names=[(name, shown.label) for name, shown in PILLS["correction"].items()],
            people=people_in(page.rows),
        )
    )


@blueprint.get("/admin/transfers/<transfer_id>/correct")
def correct(transfer_id: str) -> Response:
    """Prepare a correction: what is asked for stands in the address, its effect on the page."""
    detail = ledger.transfer(transfer_id)
    return _prepare_page(detail, _prepared(detail, request.args))


@blueprint.post("/admin/transfers/<transfer_id>/corrections")
def ask_correction(transfer_id: str) -> Response:
    """Ask a second admin for what was previewed; the form is sent once."""
    detail = ledger.transfer(transfer_id)
    prepared = _prepared(detail, request.form)
    proposal = prepared.proposal
    if proposal is None:
        return _prepare_page(detail, prepared, status=UNPROCESSABLE)

    def ask() -> str:
        asked = corrections.request(proposal, because=prepared.because, by=acting())
        return url_for("admin.correction", correction_id=asked.id)

    try:
        return once_per_form(ask, livemode=settings().livemode)
    except CorrectionNotPossible as wrong:
        prepared.errors.append({"field": wrong.param or "", "message": wrong.message})
        return _prepare_page(detail, prepared, status=UNPROCESSABLE)
    except corrections.CorrectionWaits as waits:
        prepared.errors.append({"field": "", "message": waits.message})
        return _prepare_page(detail, prepared, status=CONFLICT)


@blueprint.get("/admin/corrections/<correction_id>")
def correction(correction_id: str) -> Response:
    """Show one correction: its lines, what they do, who asked and what to decide."""
    found = corrections.any_correction(correction_id)
    with db.transaction():
        audit.record(
            "correction.viewed",
            "correction",
            found.id,
            by=acting(),
            merchant_id=found.merchant_id,
        )
    return make_response(render_template("admin/correction.html", **_correction_page(found.id)))


@blueprint.post("/admin/corrections/<correction_id>/approve")
def approve_correction(correction_id: str) -> Response:
    """Book a correction as its second admin."""
    corrections.approve(correction_id, by=acting())
    flash("The correction is booked. The first transfer stays as it was.", "success")
    return _back(correction_id)


@blueprint.post("/admin/corrections/<correction_id>/refuse")
@shown_again(correction, "because")
def refuse_correction(correction_id: str) -> Response:
    """Refuse a correction as its second admin, for a reason that is kept."""
    corrections.refuse(correction_id, because=reason(), by=acting())
    flash("The correction was refused. Nothing was booked.", "success")
    return _back(correction_id)


@blueprint.post("/admin/corrections/<correction_id>/withdraw")
def withdraw_correction(correction_id: str) -> Response:
    """Take a correction back before anybody has decided on it."""
    corrections.withdraw(correction_id, by=acting())
    flash("The correction was withdrawn. Nothing was booked.", "success")
    return _back(correction_id)


def people_in(rows: Sequence[Correction]) -> dict[str, str]:
    """Return the admins who asked for corrections or decided on them, by id: masked, or `You`."""
    wanted = {person for row in rows for person in (row.requested_by, row.decided_by) if person}
    return dict.fromkeys(wanted, "An admin") | masked_names(wanted)


def _prepared(detail: TransferDetail, given: MultiDict[str, str]) -> Prepared:
    """Read what is asked for; an empty address asks for nothing yet."""
    kind = _kind(detail, given.get("kind"))
    columns = [given.getlist(name)[:ROWS] for name in ("source", "target", "amount")]
    typed = [row for row in zip(*columns, strict=False) if row[2].strip()]
    prepared = Prepared(kind, typed, given.get("because", ""))
    if kind is Kind.ADJUSTMENT and not typed and "amount" not in given:
        return prepared
    try:
        prepared.proposal = (
            corrections.reversal(detail)
            if kind is Kind.REVERSAL
            else corrections.adjustment(detail, [_line(detail, row) for row in typed])
        )
    except Invalid as wrong:
        prepared.errors.append({"field": f"{wrong.param}-1", "message": wrong.message})
    return prepared


def _kind(detail: TransferDetail, named: str | None) -> Kind:
    """Return the kind that is named; else undoing all of it, where that may be."""
    if named in set(Kind):
        return Kind(named)
    return Kind.REVERSAL if corrections.why_not_reverse(detail) is None else Kind.ADJUSTMENT


def _line(detail: TransferDetail, row: tuple[str, str, str]) -> tuple[str, str, Money]:
    source, target, typed = row
    known = {account.name: account for account in corrections.accounts_for(detail)}
    if source not in known:
        raise CorrectionNotPossible("Choose one of this transfer’s accounts.", param="source")
    return source, target, parse_money(typed, known[source].currency)


def _prepare_page(detail: TransferDetail, prepared: Prepared, *, status: int = 200) -> Response:
    choices = corrections.accounts_for(detail)
    names = account_names(choices)
    currencies = {account.currency for account in choices}
    lines = prepared.proposal.lines if prepared.proposal else []
    page = render_template(
        "admin/correct.html",
        detail=detail,
        found=detail.transfer,
        first=line_views(detail.lines),
        prepared=prepared,
        choices=[
            (
                account.name,
                names[account] + (f" ({account.currency})" if len(currencies) > 1 else ""),
            )
            for account in choices
        ],
        currency=detail.lines[0].amount.currency,
        rows=[*prepared.typed, *[("", "", "")] * ROWS][:ROWS],
        lines=line_views(lines),
        touched=_touched(lines),
        ends_waiting=_ends_waiting(detail.transfer.kind, prepared.kind),
    )
    return make_response(page, status)


def _ends_waiting(booked: str, kind: str) -> bool:
    """Whether a correction says that money set aside went back in the provider's own pages."""
    return kind == Kind.REVERSAL and booked == payments.SET_ASIDE


def _touched(lines: Sequence[Line]) -> list[TouchedView]:
    found: Sequence[Touched] = corrections.preview(lines)
    names = account_names(one.account for one in found)
    return [
        TouchedView(names[one.account], one.before, one.change, one.after, one.is_overdrawn)
        for one in found
    ]


def _correction_page(correction_id: str) -> Mapping[str, object]:
    found = corrections.any_correction(correction_id)
    lines: list[LineView] = line_views(found.lines)
    waits = found.status == corrections.Status.REQUESTED
    first = ledger.transfer(found.transfer_id).transfer
    people = people_in([found])
    return {
        "found": found,
        "pill": pill("correction", found.status),
        "explained": explained_state(
            corrections.FLOW.states[found.status],
            tone=pill("correction", found.status).tone,
            check_at=None,
            deadline_at=found.deadline_at,
            zone=g.zone,
        ),
        "lines": lines,
        "touched": _touched(found.lines) if waits else [],
        "waits": waits,
        "ends_waiting": _ends_waiting(first.kind, found.kind),
        "first": first,
        "booked": ledger.transfer_by_reference(found.reference),
        "people": people,
        "is_own": found.requested_by == acting().id,
        "why_not": corrections.SameApprover.says if found.requested_by == acting().id else None,
        "timeline": timeline_of(
            corrections.moves_of(found.id), people | {acting().id or "": "you"}, g.zone
        ),
    }


def _back(correction_id: str) -> Response:
    return redirect(url_for("admin.correction", correction_id=correction_id), code=303)
