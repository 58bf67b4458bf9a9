"""The checkout's addresses; its token is the only key, and it proves nothing but ids."""

from __future__ import annotations

import time

from flask import (
    Blueprint,
    Response,
    flash,
    g,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from werkzeug.wrappers import Response as AnyResponse

from webapp import accounts, orders, payments
from webapp.kernel import db, emails, links
from webapp.kernel.errors import Conflict, Declined, Invalid, NotFound, Refusal
from webapp.payments import Payer
from webapp.web.checkout.presenters import Checkout, Stage, checkout_view, receipt_view
from webapp.web.shared.errors import status_of, wants_json
from webapp.web.shared.forms import once_per_form
from webapp.web.shared.guards import anyone, guard, settings

blueprint = guard(Blueprint("checkout", __name__), anyone)

#: How long a form without JavaScript waits for the provider's page before the waiting page.
WAIT_SECONDS = 2.0
WAIT_STEP_SECONDS = 0.1
METHODS = frozenset({"card", "wallet"})
#: In the form cookie: the checkout that was just paid, until the bank's page has been opened.
JUST_PAID = "just_paid"
#: By which parameters a return address says which payment it belongs to.
NAMES_A_PAYMENT = ("payment_intent", "session_id")


@blueprint.get("/checkout/<token>")
def show(token: str) -> AnyResponse:
    """Show where the payment stands and what can be done.

    Right after paying it leads on to the bank by itself, once; coming back stays here.
    """
    view = _view(token)
    if view.stage is Stage.ACTION and view.next_url and _has_just_paid(view):
        return redirect(view.next_url, code=303)
    return _page(view)


@blueprint.post("/checkout/<token>/pay")
def pay(token: str) -> AnyResponse:
    """Begin to pay in the chosen way; a second click or tab has no second effect."""
    ref = _enter(token)
    method = request.form.get("method", "")
    try:
        if method not in METHODS:
            raise Invalid("Choose how you want to pay.", param="method")
        payer = _payer()
        answer = once_per_form(
            lambda: _begin(ref, token, method, payer),
            livemode=ref.livemode,
            to=lambda _: url_for("checkout.show", token=token),
        )
    except (Invalid, Declined, Conflict) as refusal:
        return _refused(token, refusal)
    session[JUST_PAID] = ref.session_id
    if method == "card" and not request.form.get("payment_method"):
        return _follow_when_ready(token, answer)
    return answer


@blueprint.get("/checkout/<token>/status")
def status(token: str) -> AnyResponse:
    """Give the live part of the page, or its state as JSON."""
    view = _view(token)
    if wants_json():
        return jsonify(
            {
                "stage": view.stage,
                "version": view.version,
                "reference": view.reference,
                "next_url": view.next_url,
            }
        )
    leads_on = request.args.get("seen") == Stage.CONFIRMING and view.stage is Stage.ACTION
    goto = view.next_url if leads_on and _has_just_paid(view) else None
    return make_response(
        render_template("checkout/stage.html", checkout=view, goto=goto, **_provider())
    )


@blueprint.get("/checkout/<token>/return")
def come_back(token: str) -> AnyResponse:
    """Receive the shopper from the bank or the provider's page; its address is not believed.

    An address that names another payment is refused; otherwise the provider is asked.
    """
    ref = _enter(token)
    payment = payments.current_payment(ref.order_id)
    named = {request.args[name] for name in NAMES_A_PAYMENT if request.args.get(name)}
    if payment is None or named - {payment.provider_intent_id, payment.provider_session_id}:
        raise Invalid(
            "This return address belongs to another payment. Nothing was changed.",
            param="payment_intent",
        )
    _ask_now(payment.id)
    return redirect(url_for("checkout.show", token=token, back="1"), code=303)


@blueprint.post("/checkout/<token>/check")
def check(token: str) -> AnyResponse:
    """Ask the provider again now, unless that was done often enough a moment ago."""
    ref = _enter(token)
    payment = payments.current_payment(ref.order_id)
    if payment is not None:
        flash(
            "We are asking the bank again. Its answer appears here by itself."
            if _ask_now(payment.id)
            else "We have just asked, and go on asking by ourselves. You are not charged twice."
        )
    return redirect(url_for("checkout.show", token=token), code=303)


@blueprint.post("/checkout/<token>/cancel")
def cancel(token: str) -> AnyResponse:
    """Give up a payment that waits for the shopper, so that another way can be chosen."""
    ref = _enter(token)
    payment = payments.current_payment(ref.order_id)
    if payment is not None:
        payments.give_up(payment.id, by=_payer().actor)
    return redirect(url_for("checkout.show", token=token), code=303)


@blueprint.post("/checkout/<token>/fresh")
def fresh(token: str) -> AnyResponse:
    """Open a fresh link to the same order, in one click."""
    ref = _enter(token)
    opened = payments.fresh_link(ref.order_id, by=_payer().actor)
    return redirect(url_for("checkout.show", token=opened.token), code=303)


@blueprint.get("/receipt/<link>")
def receipt(link: str) -> AnyResponse:
    """Show a receipt to whoever has its signed address."""
    parts = links.opened(payments.RECEIPT, link)
    if len(parts) != 3:  # noqa: PLR2004 - merchant, mode, payment
        raise NotFound
    merchant_id, mode, payment_id = parts
    db.use_scope(db.Scope(merchant_id=merchant_id, livemode=mode == "live"))
    g.zone = g.person.timezone if g.person else _zone_of(merchant_id)
    return make_response(
        render_template("checkout/receipt.html", receipt=receipt_view(merchant_id, payment_id))
    )


def _ask_now(payment_id: str) -> bool:
    """Ask the provider where a payment stands; False, unasked, when it was asked too often."""
    try:
        accounts.note_try(accounts.CHECK_PAYMENT, payment_id, request.remote_addr or "")
    except accounts.TooManyTries:
        return False
    payments.check_now(payment_id)
    return True


def _has_just_paid(view: Checkout) -> bool:
    """Whether this browser has sent the pay form and was not led on to the bank yet; asked once."""
    if session.get(JUST_PAID) != view.session_id:
        return False
    session.pop(JUST_PAID)
    return True


def _begin(ref: orders.CheckoutRef, token: str, method: str, payer: Payer) -> str:
    if method == "wallet":
        if g.person is not None and (reason := accounts.why_not_pay_from_wallet(g.person)):
            raise Declined(reason, param="method")
        return payments.pay_from_wallet(ref, payer=payer)
    back = _absolute(url_for("checkout.come_back", token=token))
    method_id = request.form.get("payment_method", "").strip()
    if method_id:
        return payments.start_card(ref, method_id, return_url=back, payer=payer)
    return payments.start_hosted(
        ref,
        success_url=f"{back}?session_id={{CHECKOUT_SESSION_ID}}",
        cancel_url=_absolute(url_for("checkout.show", token=token)),
        payer=payer,
    )


def _follow_when_ready(token: str, otherwise: AnyResponse) -> AnyResponse:
    """Wait a moment for the provider's page and go there; its preparation is a worker's."""
    until = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < until:
        view = _view(token)
        if view.stage is Stage.ACTION and view.next_url and _has_just_paid(view):
            return redirect(view.next_url, code=303)
        if view.stage is not Stage.CONFIRMING:
            return otherwise
        db.end_reads()
        time.sleep(WAIT_STEP_SECONDS)
    return otherwise


def _refused(token: str, refusal: Refusal) -> AnyResponse:
    view = _view(token)
    code = status_of(refusal)
    if view.stage is Stage.EXPIRED:
        return _page(view, code=code)
    if view.stage is not Stage.PAY:
        return redirect(url_for("checkout.show", token=token), code=303)
    return _page(view, refusal=refusal, code=code)


def _page(view: Checkout, *, refusal: Refusal | None = None, code: int = 200) -> Response:
    response = make_response(
        render_template(
            "checkout/checkout.html",
            checkout=view,
            seller=view.seller,
            refusal=refusal,
            chosen=request.form.get("method"),
            typed_email=request.form.get("email", ""),
            checkout_token=view.token,
            topic=f"checkout:{view.session_id}",
            **_provider(),
        )
    )
    response.status_code = code
    return response


def _provider() -> dict[str, str]:
    return {
        "provider": "sandbox" if settings().is_sandbox else "stripe",
        "provider_origin": settings().provider_origin,
        "publishable_key": settings().stripe_publishable_key,
    }


def _view(token: str) -> Checkout:
    ref = _enter(token)
    user_id = g.person.user_id if g.person else None
    return checkout_view(ref, token, user_id=user_id, is_back="back" in request.args)


def _enter(token: str) -> orders.CheckoutRef:
    """Find what the token proves and put just that in force; raises CheckoutNotFound."""
    db.use_scope(db.NOBODY)
    ref = orders.checkout_for(token)
    user_id = g.person.user_id if g.person else None
    db.use_scope(db.Scope(merchant_id=ref.merchant_id, livemode=ref.livemode, user_id=user_id))
    g.zone = g.person.timezone if g.person else _zone_of(ref.merchant_id)
    return ref


def _zone_of(merchant_id: str) -> str:
    card = accounts.merchant_card(merchant_id)
    return card.timezone if card else "UTC"


def _payer() -> Payer:
    if g.person is not None:
        return Payer(user_id=g.person.user_id, email=g.person.email)
    typed = request.form.get("email", "").strip()
    if not typed:
        return Payer()
    try:
        return Payer(email=emails.checked(typed))
    except Invalid as wrong:
        raise Invalid(
            "Enter an e-mail address such as name@example.com, or leave it empty.", param="email"
        ) from wrong


def _absolute(path: str) -> str:
    return f"{settings().public_url}{path}"
