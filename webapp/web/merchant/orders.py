"""Orders: list, create, look at, open a checkout link, cancel."""

from __future__ import annotations

from flask import flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp import orders, payments
from webapp.kernel.errors import Invalid
from webapp.web.merchant import links
from webapp.web.merchant.door import actor, blueprint, must, why_not
from webapp.web.merchant.forms import OrderForm, read_order_form
from webapp.web.merchant.lists import asked_page
from webapp.web.merchant.order_views import currency_choices, order_list, order_page
from webapp.web.shared.forms import once_per_form

EMPTY = OrderForm(typed={}, errors={})


@blueprint.get("/orders")
def order_rows() -> str:
    """Show the merchant's orders by status, number, id or e-mail address."""
    return render_template(
        "merchant/orders.html",
        view=order_list(asked_page()),
        why_not_create=why_not("create_order"),
    )


@blueprint.get("/orders/new")
def new_order() -> str:
    """Show the form for a new order."""
    must("create_order")
    return _form_page(EMPTY)


@blueprint.post("/orders")
def create_order() -> Response | tuple[str, int]:
    """Create an order and its first checkout link; the same form sent twice creates one."""
    must("create_order")
    form = read_order_form(request.form)
    if form.errors or form.amount is None:
        return _form_page(form), 400
    asked = orders.NewOrder(
        merchant_id=g.merchant.id,
        livemode=g.merchant.livemode,
        amount=form.amount,
        description=form.description,
        customer_email=form.customer_email,
        capture_later=form.capture_later,
    )
    opened: list[orders.Opened] = []

    def work() -> str:
        order = orders.create(asked, by=actor())
        opened.append(orders.open_checkout(order.id, by=actor()))
        return url_for("merchant.order", order_id=order.id)

    try:
        answer = once_per_form(work, livemode=g.merchant.livemode)
    except Invalid as wrong:
        errors = {wrong.param or "amount": wrong.message}
        return _form_page(OrderForm(typed=request.form, errors=errors)), 400
    for one in opened:
        links.keep(one.session_id, one.token)
    return answer


@blueprint.get("/orders/<string:order_id>")
def order(order_id: str) -> str:
    """Show one order: its link, its payments and what happened."""
    return render_template("merchant/order.html", view=order_page(order_id))


@blueprint.get("/orders/<string:order_id>/live")
def order_live(order_id: str) -> str:
    """Return the part of the order's page that changes, for the script that keeps it fresh."""
    return render_template("merchant/_order.html", view=order_page(order_id))


@blueprint.post("/orders/<string:order_id>/link")
def open_link(order_id: str) -> Response:
    """Open a fresh link, which ends the older one; refused while a payment is under way."""
    must("create_order")
    orders.order_of(g.merchant.id, order_id)
    opened = payments.fresh_link(order_id, by=actor())
    links.keep(opened.session_id, opened.token)
    return redirect(url_for("merchant.order", order_id=order_id), code=303)


@blueprint.post("/orders/<string:order_id>/cancel")
def cancel_order(order_id: str) -> Response:
    """Cancel an order that is not paid and has no payment under way."""
    must("cancel_order")
    number = orders.order_of(g.merchant.id, order_id).number
    payments.cancel_order(order_id, by=actor())
    flash(f"Order #{number} was cancelled. Its link no longer works.", "success")
    return redirect(url_for("merchant.order", order_id=order_id), code=303)


def _form_page(form: OrderForm) -> str:
    return render_template(
        "merchant/order_new.html",
        form=form,
        summary=[{"field": name, "message": says} for name, says in form.errors.items()],
        currencies=currency_choices(),
    )
