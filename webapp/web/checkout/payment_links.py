"""The page of a payment link: what is asked for, and one button that makes an order to be paid."""

from __future__ import annotations

from flask import g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp import accounts, orders, payments
from webapp.kernel import crypto, db
from webapp.web.checkout.presenters import LinkPage, link_view
from webapp.web.checkout.routes import blueprint
from webapp.web.shared.forms import FIELD, once_per_form
from webapp.web.shared.guards import settings


@blueprint.get("/pay/<token>")
def payment_link(token: str) -> Response:
    """Show what the link asks for; looking makes nothing."""
    return _page(link_view(_enter(token), token))


@blueprint.post("/pay/<token>")
def open_payment_link(token: str) -> Response:
    """Make a fresh order and go to its checkout; the same form sent twice makes one.

    Refused for a while where one address has opened this link very often.
    """
    ref = _enter(token)
    address = request.remote_addr or ""
    from_here = crypto.blind_index(f"{ref.link_id} {address}", purpose="address")
    try:
        accounts.note_try(accounts.OPEN_LINK, from_here, address)
    except accounts.TooManyTries as many:
        return _later(link_view(ref, token), many.wait_seconds)
    payer = payments.Payer(user_id=g.person.user_id if g.person else None)
    place = f"payment_link:form:{request.form.get(FIELD, '')}"

    def work() -> str:
        opened = orders.open_payment_link(ref, by=payer.actor)
        return crypto.seal(opened.token, context=place)

    def checkout(sealed: str) -> str:
        return url_for("checkout.show", token=crypto.unseal(sealed, context=place))

    try:
        return once_per_form(work, livemode=ref.livemode, to=checkout)
    except (orders.PaymentLinkEnded, orders.PaymentLinkClosed):
        return redirect(url_for("checkout.payment_link", token=token), code=303)


def _page(view: LinkPage, *, wait_minutes: int = 0) -> Response:
    return make_response(
        render_template(
            "checkout/payment_link.html", link=view, seller=view.seller, wait_minutes=wait_minutes
        )
    )


def _later(view: LinkPage, seconds: int) -> Response:
    response = _page(view, wait_minutes=max(1, -(-seconds // 60)))
    response.status_code = 429
    response.headers["Retry-After"] = str(seconds)
    return response


def _enter(token: str) -> orders.PaymentLinkRef:
    """Find what the token proves and put just that in force; raises PaymentLinkNotFound."""
    db.use_scope(db.NOBODY)
    ref = orders.payment_link_for(token)
    if ref.livemode != settings().livemode:
        raise orders.PaymentLinkNotFound
    db.use_scope(db.Scope(merchant_id=ref.merchant_id, livemode=ref.livemode))
    card = accounts.merchant_card(ref.merchant_id)
    g.zone = g.person.timezone if g.person else card.timezone if card else "UTC"
    return ref
