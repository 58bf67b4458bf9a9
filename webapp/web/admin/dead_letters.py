"""The admin's pages about work that gave up: try it again, or say what became of it and why."""

from __future__ import annotations

from flask import flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp import audit, dead_letters, gateway, payments
from webapp.dead_letters import Letter, LetterKind
from webapp.gateway import Kind
from webapp.kernel import db
from webapp.kernel.errors import Invalid, NotFound
from webapp.kernel.money import parse_money
from webapp.payments import PaymentNotFound
from webapp.web.admin.door import acting, blueprint
from webapp.web.admin.lists import asked_list
from webapp.web.admin.merchants import reason
from webapp.web.admin.people import trail_about
from webapp.web.shared.typed_again import shown_again

LOOKED_UP = "The provider is asked first; where its answer leaves room, the decision is applied."


@blueprint.get("/admin/dead-letters")
def letters() -> Response:
    """Show what gave up, what began last first."""
    asked = asked_list()
    kind = _kind(asked.status) if asked.status else None
    counts = {name.value: count for name, count in dead_letters.counts().items()}
    return make_response(
        render_template(
            "admin/dead_letters.html",
            asked=asked,
            counts=counts,
            names=[(kind.value, many) for kind, (_one, many) in dead_letters.KINDS.items()],
            kinds=dead_letters.KINDS,
            page=dead_letters.listed(kind, page=asked.page),
        )
    )


@blueprint.get("/admin/dead-letters/<name>/<letter_id>")
def dead_letter(name: str, letter_id: str) -> Response:
    """Show one letter, what it is about, and what can be done with it."""
    found = dead_letters.letter(_kind(name), letter_id)
    proposal = gateway.proposal_of(letter_id) if found.kind is LetterKind.CALL else None
    with db.transaction():
        audit.record("dead_letter.viewed", "dead_letter", letter_id, by=acting())
    return make_response(
        render_template(
            "admin/dead_letter.html",
            letter=found,
            kind_name=dead_letters.KINDS[found.kind][0],
            alike=dead_letters.how_many_like(found),
            choices=_choices(found),
            proposal=proposal,
            is_mine=proposal is not None and proposal.by_id == acting().id,
            currency=_currency(found),
            trail=trail_about("dead_letter", letter_id),
        )
    )


@blueprint.post("/admin/dead-letters/<name>/<letter_id>/retry")
def retry_letter(name: str, letter_id: str) -> Response:
    """Have one letter taken up again."""
    dead_letters.retry(_kind(name), letter_id, by=acting())
    flash("It is taken up again. If it gives up once more, it comes back here.", "success")
    return _back(name)


@blueprint.post("/admin/dead-letters/<name>/<letter_id>/retry-like")
def retry_letters_like(name: str, letter_id: str) -> Response:
    """Have all letters like this one taken up again."""
    taken = dead_letters.retry_like(_kind(name), letter_id, by=acting())
    are = "is" if taken == 1 else "are"
    flash(f"{taken} {are} taken up again. What gives up once more comes back here.", "success")
    return _back(name)


@blueprint.post("/admin/dead-letters/<name>/<letter_id>/discard")
@shown_again(dead_letter, "because", "choice", "amount", "reference")
def discard_letter(name: str, letter_id: str) -> Response:
    """Let a letter be, for a reason that is kept; of a call, say what came of it."""
    found = dead_letters.letter(_kind(name), letter_id)
    because = reason()
    decision = _decision(found, because) if found.kind is LetterKind.CALL else None
    is_final = dead_letters.discard(
        found.kind, letter_id, because=because, by=acting(), decision=decision
    )
    if not is_final:
        flash("Your decision waits for another admin to confirm it.", "success")
        here = url_for("admin.dead_letter", name=name, letter_id=letter_id)
        return redirect(here, code=303)
    flash(LOOKED_UP if decision is not None else "It is discarded.", "success")
    return _back(name)


@blueprint.post("/admin/dead-letters/call/<letter_id>/confirm")
def confirm_decision(letter_id: str) -> Response:
    """Sign what another admin decided about a call, as it was shown."""
    version = request.form.get("version", "")
    dead_letters.confirm(letter_id, by=acting(), version=version)
    flash(LOOKED_UP, "success")
    return _back(LetterKind.CALL.value)


def _decision(found: Letter, because: str) -> gateway.Decision:
    choice = gateway.choice_of(_call_kind(found), request.form.get("choice", ""))
    typed, currency = request.form.get("amount", "").strip(), _currency(found)
    amount = None
    if choice.needs_amount:
        if currency is None:
            raise Invalid("This call is about no payment that is known here.", param="amount")
        amount = parse_money(typed, currency)
    reference = request.form.get("reference", "") if choice.needs_reference else ""
    return gateway.Decision(choice.name, because, amount, reference)


def _choices(found: Letter) -> tuple[gateway.Choice, ...]:
    return gateway.CHOICES[_call_kind(found)] if found.kind is LetterKind.CALL else ()


def _call_kind(found: Letter) -> Kind:
    return Kind(found.what)


def _currency(found: Letter) -> str | None:
    try:
        return payments.any_payment(found.about_id).payment.currency
    except PaymentNotFound:
        return None


def _kind(name: str) -> LetterKind:
    try:
        return LetterKind(name)
    except ValueError as wrong:
        raise NotFound from wrong


def _back(name: str) -> Response:
    return redirect(url_for("admin.letters", status=name), code=303)
