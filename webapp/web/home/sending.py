"""Sending money to another person: the form, a last look, and what became of it."""

from __future__ import annotations

from dataclasses import replace

from flask import g, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from webapp import accounts, ledger, wallets
from webapp.kernel.errors import Declined, Invalid, Refusal
from webapp.kernel.money import Money, parse_money
from webapp.outbox import Actor
from webapp.wallets import NewTransfer
from webapp.web.home.forms import SendForm
from webapp.web.home.routes import blueprint, rendered
from webapp.web.shared.errors import status_of
from webapp.web.shared.forms import once_per_form
from webapp.web.shared.guards import settings
from webapp.web.shared.pills import Pill, pill

FORM = "home/send.html"
TOO_MANY = 429


@blueprint.get("/wallet/send")
def send() -> AnyResponse:
    """Show the form for sending money."""
    balances = _balances()
    first = balances[0].currency if balances else None
    return _form(SendForm(formdata=None, currency=first))


@blueprint.post("/wallet/send")
def look_at_sending() -> AnyResponse:
    """Show once more what would be sent, and what is left then; nothing has moved."""
    form = SendForm()
    try:
        asked = _asked(form)
    except (Invalid, Declined) as refusal:
        return _form(form, refusal)
    left = _held(asked.amount.currency) - asked.amount
    return rendered("home/send_look.html", form=form, asked=asked, left=left)


@blueprint.post("/wallet/send/now")
def send_now() -> AnyResponse:
    """Send it, or go back to the form; the same form sent twice sends once."""
    form = SendForm()
    if "change" in request.form:
        return _form(form)
    try:
        asked = _asked(form)
        accounts.note_try(accounts.SEND_MONEY, g.person.user_id, request.remote_addr or "")
        return once_per_form(lambda: _sent(asked), livemode=asked.livemode)
    except (Invalid, Declined, accounts.TooManyTries) as refusal:
        return _form(form, refusal)


@blueprint.get("/wallet/transfers/<transfer_id>")
def transfer(transfer_id: str) -> AnyResponse:
    """Show money that one sent or was sent."""
    user_id = g.person.user_id
    sent = wallets.transfer_of(user_id, transfer_id)
    name = wallets.counterparts([sent.id])[sent.id]
    return rendered(
        "home/sent.html",
        sent=sent,
        name=name,
        is_mine=sent.user_id == user_id,
        pill=_pill(sent, user_id),
    )


def _asked(form: SendForm) -> NewTransfer:
    """Return what the form asks for; raises Invalid naming the field, or Declined."""
    if not form.validate():
        name, messages = next(iter(form.errors.items()))
        raise Invalid(messages[0], param=name)
    if reason := accounts.why_not_pay_from_wallet(g.person):
        raise Declined(reason)
    currency = form.currency.data or ""
    if currency not in {one.currency for one in _balances()}:
        raise Invalid("Choose one of your wallets.", param="currency")
    amount = parse_money(form.amount.data or "", currency)
    if amount.minor > _held(currency).minor:
        raise Invalid("There is not that much in the wallet.", param="amount")
    asked = NewTransfer(
        g.person.user_id,
        (form.recipient.data or "").strip(),
        amount,
        settings().livemode,
        note=form.note.data or "",
    )
    wallets.check_transfer(asked)
    return asked


def _sent(asked: NewTransfer) -> str:
    sent = wallets.transfer(asked, by=Actor("shopper", g.person.user_id))
    return url_for("home.transfer", transfer_id=sent.id)


def _balances() -> list[wallets.WalletBalance]:
    """Return the wallets that there is something in."""
    found = wallets.balance_of(g.person.user_id, settings().livemode)
    return [one for one in found if one.available.minor > 0]


def _held(currency: str) -> Money:
    return ledger.balance(ledger.wallet(g.person.user_id, settings().livemode, currency))


def _form(form: SendForm, refusal: Refusal | None = None) -> AnyResponse:
    response = rendered(FORM, form=form, refusal=refusal, balances=_balances())
    if isinstance(refusal, accounts.TooManyTries):
        response.status_code = TOO_MANY
    elif refusal is not None:
        response.status_code = status_of(refusal)
    return response


def _pill(sent: wallets.WalletTransfer, user_id: str) -> Pill:
    shown = pill("wallet_transfer", sent.status)
    return shown if sent.user_id == user_id else replace(shown, label="Received")
