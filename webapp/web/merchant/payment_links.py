"""Payment links: list, make, look at with its orders, end."""

from __future__ import annotations

from flask import flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp import orders
from webapp.kernel.errors import Invalid
from webapp.web.merchant.door import actor, blueprint, must, why_not
from webapp.web.merchant.link_forms import LinkForm, read_link_form
from webapp.web.merchant.link_views import link_list, link_page
from webapp.web.merchant.lists import asked_page
from webapp.web.merchant.order_views import currency_choices
from webapp.web.shared.forms import once_per_form

EMPTY = LinkForm(typed={}, errors={})


@blueprint.get("/payment-links")
def payment_link_rows() -> str:
    """Show the merchant's payment links by status, and how often each was paid."""
    return render_template(
        "merchant/payment_links.html",
        view=link_list(asked_page()),
        why_not_create=why_not("create_order"),
    )


@blueprint.get("/payment-links/new")
def new_payment_link() -> str:
    """Show the form for a new link."""
    must("create_order")
    return _form_page(EMPTY)


@blueprint.post("/payment-links")
def create_payment_link() -> Response | tuple[str, int]:
    """Make a link; the same form sent twice makes one."""
    must("create_order")
    form = read_link_form(request.form, g.merchant.timezone)
    if form.errors or form.amount is None:
        return _form_page(form), 400
    asked = orders.NewPaymentLink(
        merchant_id=g.merchant.id,
        livemode=g.merchant.livemode,
        amount=form.amount,
        description=form.description,
        max_payments=form.max_payments,
        ends_at=form.ends_at,
    )

    def work() -> str:
        link = orders.create_payment_link(asked, by=actor())
        return url_for("merchant.payment_link", link_id=link.id)

    try:
        return once_per_form(work, livemode=g.merchant.livemode)
    except Invalid as wrong:
        field = {"ends_at": "last_day"}.get(wrong.param or "", wrong.param or "amount")
        return _form_page(LinkForm(typed=request.form, errors={field: wrong.message})), 400


@blueprint.get("/payment-links/<string:link_id>")
def payment_link(link_id: str) -> str:
    """Show one link: its address, how often it was paid, its orders and what happened."""
    return render_template("merchant/payment_link.html", view=link_page(link_id, asked_page()))


@blueprint.get("/payment-links/<string:link_id>/live")
def payment_link_live(link_id: str) -> str:
    """Return the part of the link's page that changes, for the script that keeps it fresh."""
    return render_template("merchant/_payment_link.html", view=link_page(link_id, asked_page()))


@blueprint.post("/payment-links/<string:link_id>/end")
def end_payment_link(link_id: str) -> Response:
    """End a link for good; payments that were begun by then go on."""
    must("create_order")
    orders.end_payment_link(g.merchant.id, link_id, by=actor())
    flash("The link has ended. Whoever opens it is told so.", "success")
    return redirect(url_for("merchant.payment_link", link_id=link_id), code=303)


def _form_page(form: LinkForm) -> str:
    return render_template(
        "merchant/payment_link_new.html",
        form=form,
        summary=[{"field": name, "message": says} for name, says in form.errors.items()],
        currencies=currency_choices(),
    )
