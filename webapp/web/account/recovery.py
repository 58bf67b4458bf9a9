"""Getting back in without the password, and confirming a new address."""

from __future__ import annotations

from flask import Response, flash, g, request, url_for

from webapp import accounts
from webapp.accounts import Purpose
from webapp.kernel.errors import Invalid
from webapp.web.account import mails
from webapp.web.account.door import BAD_FORM, blueprint, page, refused, see
from webapp.web.account.entry import CONFIRM, SPENT, TOO_MANY
from webapp.web.account.forms import ForgotForm, PlainForm, ResetForm
from webapp.web.shared import login

FORGOT, RESET = "forgot.html", "reset.html"


@blueprint.get("/password/forgot")
def forgot() -> Response:
    """Show the form that asks for a link."""
    return page(FORGOT, form=ForgotForm())


@blueprint.post("/password/forgot")
def send_reset_link() -> Response:
    """Mail something to the address, known or not, and say the same in both cases."""
    form = ForgotForm()
    if not form.validate():
        return page(FORGOT, status=BAD_FORM, form=form)
    address = form.email.data.strip()
    try:
        address = accounts.checked_email(address)
        token = accounts.ask_reset(address, address=request.remote_addr or "")
    except accounts.TooManyTries as wait:
        form.refuse(wait)
        return page(FORGOT, status=TOO_MANY, form=form)
    except Invalid as wrong:
        return refused(form, wrong, FORGOT)
    if token is None:
        mails.no_account(address)
    else:
        mails.choose_password(accounts.mailed_to(token), token)
    return see(url_for("account.reset_sent"))


@blueprint.get("/password/sent")
def reset_sent() -> Response:
    """Say that a mail is on its way."""
    return page("sent.html", title="Check your mail", kind="reset")


@blueprint.get("/password/reset/<token>")
def reset(token: str) -> Response:
    """Show the form for a new password, where the link works."""
    if not accounts.link_works(token, Purpose.RESET_PASSWORD):
        return page("spent.html", status=SPENT, kind="reset")
    return page(RESET, form=ResetForm(), action=request.path)


@blueprint.post("/password/reset/<token>")
def choose_password(token: str) -> Response:
    """Set the new password; every browser is signed out."""
    form = ResetForm()
    if not form.validate():
        return page(RESET, status=BAD_FORM, form=form, action=request.path)
    try:
        user_id = accounts.reset_password(token, form.password.data)
    except accounts.LinkSpent:
        return page("spent.html", status=SPENT, kind="reset")
    except (Invalid, accounts.Busy) as wrong:
        return refused(form, wrong, RESET, action=request.path)
    mails.password_changed(accounts.own_email(user_id), user_id)
    login.renew_form_seed()
    flash("Your new password is set. Every browser was signed out.", "success")
    return login.forget(see(url_for("account.sign_in")))


@blueprint.get("/email/confirm/<token>")
def confirm_email(token: str) -> Response:
    """Show the button that puts a new address in force."""
    if not accounts.link_works(token, Purpose.CHANGE_EMAIL):
        return page("spent.html", status=SPENT, kind="email")
    return page(CONFIRM, form=PlainForm(), kind="email", action=request.path)


@blueprint.post("/email/confirm/<token>")
def use_new_email(token: str) -> Response:
    """Put the new address in force and tell the old one."""
    try:
        changed = accounts.confirm_new_email(token)
    except (accounts.LinkSpent, accounts.EmailTaken):
        return page("spent.html", status=SPENT, kind="email")
    mails.address_changed(changed.old_email, changed.user_id)
    flash("Your e-mail address is changed.", "success")
    return see(url_for("account.own.profile") if g.person else url_for("account.sign_in"))
