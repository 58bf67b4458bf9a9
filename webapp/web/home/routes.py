"""The shopper's addresses."""

from __future__ import annotations

from contextlib import suppress

from flask import (
    Blueprint,
    Response,
    g,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from werkzeug.wrappers import Response as AnyResponse

from webapp import accounts, notifications, orders, payments, refunds, wallets
from webapp.kernel import db
from webapp.kernel.errors import Declined, Invalid, Refusal
from webapp.kernel.money import parse_money
from webapp.kernel.paging import PageRequest, page_request
from webapp.outbox import Actor
from webapp.web.home.forms import WALLET_CURRENCIES, TopUpForm
from webapp.web.home.presenters import own_aside, own_lines, own_payments, own_refunds, own_story
from webapp.web.shared.errors import status_of
from webapp.web.shared.forms import once_per_form
from webapp.web.shared.guards import CHOSEN_MERCHANT, guard, settings, signed_in
from webapp.web.shared.pills import payment_pill

blueprint = guard(Blueprint("home", __name__), signed_in)
SHORT = PageRequest(limit=5)


@blueprint.get("/home")
def overview() -> AnyResponse:
    """Show balance, newest payments and messages."""
    return rendered("home/overview.html", **_overview())


@blueprint.get("/home/now")
def overview_now() -> AnyResponse:
    """Give the live part of the overview."""
    return rendered("home/overview_live.html", **_overview())


@blueprint.get("/home/payments")
def own() -> AnyResponse:
    """Show all of one's payments, newest first."""
    page = payments.payments_of_user(g.person.user_id, page=asked_page())
    return rendered("home/payments.html", rows=own_payments(page), page=page)


@blueprint.get("/home/payments/<payment_id>")
def payment(payment_id: str) -> AnyResponse:
    """Show what became of one of one's payments: paid, refunded, or why not."""
    return rendered("home/payment.html", **_payment(payment_id))


@blueprint.get("/home/payments/<payment_id>/now")
def payment_now(payment_id: str) -> AnyResponse:
    """Give the live part of a payment's page."""
    return rendered("home/_payment.html", **_payment(payment_id))


@blueprint.get("/home/refunds/<refund_id>")
def refund(refund_id: str) -> AnyResponse:
    """Lead to the payment that one of one's refunds belongs to, or to one's merchant's refund.

    Messages about refunds come here: to shoppers, and to whoever asked for one that failed.
    """
    try:
        found = refunds.refund_of_user(g.person.user_id, refund_id)
    except refunds.RefundNotFound:
        session[CHOSEN_MERCHANT] = _merchant_of_refund(refund_id)
        return redirect(url_for("merchant.refund", refund_id=refund_id), code=303)
    return redirect(url_for("home.payment", payment_id=found.payment.id), code=303)


@blueprint.post("/home/payments/<payment_id>/link")
def open_link(payment_id: str) -> AnyResponse:
    """Open a fresh checkout of one's own order that is still to be paid."""
    detail = payments.payment_of_user(g.person.user_id, payment_id)
    user_id, seller = g.person.user_id, detail.payment.merchant_id
    db.use_scope(db.Scope(merchant_id=seller, livemode=settings().livemode, user_id=user_id))
    opened = payments.fresh_link(detail.order.id, by=Actor("shopper", user_id))
    return redirect(url_for("checkout.show", token=opened.token), code=303)


@blueprint.get("/wallet")
def wallet() -> AnyResponse:
    """Show balances, their history, and how to top up."""
    return _wallet_page(TopUpForm(formdata=None, currency="INR"))


@blueprint.post("/wallet/top-up")
def top_up() -> AnyResponse:
    """Make a top-up order and open its checkout; the same form sent twice makes one order."""
    form = TopUpForm()
    try:
        if not form.validate():
            name, messages = next(iter(form.errors.items()))
            raise Invalid(messages[0], param=name)
        if reason := accounts.why_not_pay_from_wallet(g.person):
            raise Declined(reason)
        return _begin_top_up(form)
    except (Invalid, Declined) as refusal:
        return _wallet_page(form, refusal)


@blueprint.get("/inbox")
def inbox() -> AnyResponse:
    """Show one's messages, newest first."""
    page = notifications.inbox_of(g.person.user_id, page=asked_page())
    return rendered("home/inbox.html", page=page)


@blueprint.post("/inbox/read")
def read_all() -> AnyResponse:
    """Mark all messages as read."""
    notifications.mark_read(g.person.user_id)
    return redirect(url_for("home.inbox"), code=303)


def _begin_top_up(form: TopUpForm) -> AnyResponse:
    currency = form.currency.data or ""
    if currency not in WALLET_CURRENCIES:
        raise Invalid("Choose one of the currencies that wallets are held in.", param="currency")
    amount = parse_money(form.amount.data or "", currency)
    livemode = settings().livemode
    user_id = g.person.user_id
    by = Actor("shopper", user_id)
    asked = orders.NewOrder(
        accounts.PLATFORM_ID,
        livemode,
        amount,
        description=f"Top up the {amount.currency} wallet",
        kind="top_up",
        user_id=user_id,
        customer_email=g.person.email,
    )

    def order() -> str:
        wallets.refuse_switched_off(wallets.open(user_id, amount.currency, livemode))
        return orders.create(asked, by=by).id

    def checkout(order_id: str) -> str:
        opened = payments.fresh_link(order_id, by=by)
        return url_for("checkout.show", token=opened.token)

    platform = db.Scope(merchant_id=accounts.PLATFORM_ID, livemode=livemode, user_id=user_id)
    with db.scoped(platform):
        return once_per_form(order, livemode=livemode, to=checkout)


def _overview() -> dict[str, object]:
    user_id = g.person.user_id
    return {
        "rows": own_payments(payments.payments_of_user(user_id, page=SHORT)),
        "balances": wallets.balance_of(user_id, settings().livemode),
        "messages": notifications.inbox_of(user_id, page=SHORT).rows,
        "topic": f"user:{user_id}",
    }


def _merchant_of_refund(refund_id: str) -> str:
    """Return for which of the person's merchants a refund is; raises RefundNotFound."""
    for member in g.person.memberships:
        own = db.Scope(merchant_id=member.merchant_id, livemode=settings().livemode)
        with db.scoped(own), suppress(refunds.RefundNotFound):
            refunds.refund_of(member.merchant_id, refund_id)
            return str(member.merchant_id)
    raise refunds.RefundNotFound


def _payment(payment_id: str) -> dict[str, object]:
    detail = payments.payment_of_user(g.person.user_id, payment_id)
    paid, last = detail.payment, detail.attempts[-1] if detail.attempts else None
    seller = accounts.merchant_card(paid.merchant_id or "")
    named = seller.name if seller else "the shop"
    refunded = own_refunds(payment_id, named)
    return {
        "detail": detail,
        "pill": payment_pill(paid),
        "state": payments.FLOW.states[paid.status],
        "decline": payments.advice_on(last.decline_code) if last and last.decline_code else None,
        "seller": seller,
        "refunds": refunded,
        "story": own_story(detail, refunded, g.zone),
        "aside": own_aside(paid, named),
        "is_paid": paid.captured_at is not None,
        "next_url": last.next_url if last and last.is_open else "",
        "can_go_on": detail.order.status == "pending" and paid.status not in payments.UNDER_WAY,
        "topic": f"user:{g.person.user_id}",
    }


def _wallet_page(form: TopUpForm, refusal: Refusal | None = None) -> AnyResponse:
    user_id = g.person.user_id
    response = rendered(
        "home/wallet.html",
        form=form,
        currencies=[(code, code) for code in WALLET_CURRENCIES],
        refusal=refusal,
        balances=wallets.balance_of(user_id, settings().livemode),
        history=own_lines(wallets.history(user_id, settings().livemode, page=asked_page())),
        topic=f"user:{user_id}",
    )
    response.status_code = status_of(refusal) if refusal else 200
    return response


def rendered(template: str, **facts: object) -> Response:
    """Return one of the shopper’s pages, with how many messages are new."""
    unread = notifications.unread_count(g.person.user_id)
    return make_response(render_template(template, unread=unread, **facts))


def asked_page() -> PageRequest:
    """Return the page that the address asks for; raises Invalid for a cursor that is not ours."""
    return page_request(older=request.args.get("older"), newer=request.args.get("newer"))
