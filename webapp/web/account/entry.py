"""Signing up, confirming the address, signing in and out."""

from __future__ import annotations

from flask import Response, flash, g, request, url_for

from webapp import accounts
from webapp.accounts import Purpose
from webapp.kernel.errors import Invalid
from webapp.web.account import mails
from webapp.web.account.choices import country_of
from webapp.web.account.devices import this_device
from webapp.web.account.door import BAD_FORM, blueprint, page, refused, see
from webapp.web.account.forms import PlainForm, RegisterForm, SignInForm
from webapp.web.account.redirects import landing, own_path
from webapp.web.shared import login

UNAUTHORISED, TOO_MANY, SPENT = 401, 429, 410
REGISTER, SIGN_IN, CONFIRM = "register.html", "sign_in.html", "confirm.html"


@blueprint.get("/register")
def register() -> Response:
    """Show the sign-up form; people who are signed in go on to their home."""
    if g.person is not None:
        return see(landing(g.person))
    aim = request.args.get("to", "pay")
    return page(REGISTER, form=RegisterForm(aim=aim if aim in {"pay", "sell"} else "pay"))


@blueprint.post("/register")
def create_account() -> Response:
    """Open an account; the answer is the same where the address has one already."""
    form = RegisterForm()
    if not form.validate():
        return page(REGISTER, status=BAD_FORM, form=form)
    try:
        _open_account(form)
    except accounts.AlreadyRegistered:
        mails.already_registered(form.email.data)
    except accounts.TooManyTries as wait:
        form.refuse(wait)
        return page(REGISTER, status=TOO_MANY, form=form)
    except (Invalid, accounts.Busy) as wrong:
        return refused(form, wrong, REGISTER)
    return see(url_for("account.registered"))


@blueprint.get("/register/sent")
def registered() -> Response:
    """Say that a mail is on its way."""
    return page("sent.html", title="Check your mail", kind="register")


@blueprint.get("/verify/<token>")
def verify(token: str) -> Response:
    """Show the button that confirms an address: opening a link alone changes nothing."""
    if not accounts.link_works(token, Purpose.VERIFY_EMAIL):
        return page("spent.html", status=SPENT, kind="verify")
    return page(CONFIRM, form=PlainForm(), kind="verify", action=request.path)


@blueprint.post("/verify/<token>")
def confirm_address(token: str) -> Response:
    """Confirm the address."""
    try:
        accounts.verify(token)
    except accounts.LinkSpent:
        return page("spent.html", status=SPENT, kind="verify")
    flash("Your e-mail address is confirmed.", "success")
    return see(landing(g.person) if g.person else url_for("account.sign_in"))


@blueprint.get("/sign-in")
def sign_in() -> Response:
    """Show the sign-in form; people who are signed in go on."""
    target = own_path(request.args.get("next"))
    if g.person is not None:
        return see(target or landing(g.person))
    return page(SIGN_IN, form=SignInForm(next=target or ""))


@blueprint.post("/sign-in")
def begin_session() -> Response:
    """Sign in, with a new token and a new form seed, and go on to the page that was wanted."""
    form = SignInForm()
    if not form.validate():
        return page(SIGN_IN, status=BAD_FORM, form=form)
    device = this_device()
    try:
        signed_in = accounts.sign_in(
            form.email.data, form.password.data, device=device.words, address=device.address
        )
    except accounts.WrongCredentials as wrong:
        form.refuse(wrong)
        return page(SIGN_IN, status=UNAUTHORISED, form=form)
    except accounts.TooManyTries as wait:
        form.refuse(wait)
        return page(SIGN_IN, status=TOO_MANY, form=form)
    except (accounts.Suspended, accounts.Busy) as refusal:
        return refused(form, refusal, SIGN_IN)
    login.renew_form_seed()
    person = accounts.person_for(signed_in.session_token)
    home = landing(person) if person else url_for("account.sign_in")
    return login.remember(see(own_path(form.next.data) or home), signed_in)


@blueprint.post("/sign-out")
def sign_out() -> Response:
    """End this browser's session; sent again it changes nothing."""
    token = login.token()
    if token:
        accounts.sign_out(token)
    login.renew_form_seed()
    flash("You are signed out.", "toast")
    return login.forget(see(url_for("account.sign_in")))


def _open_account(form: RegisterForm) -> None:
    """Register the person, with their shop where they want to sell, and mail the link."""
    shop = accounts.checked_shop_name(form.merchant_name.data or "") if form.sells else ""
    zone = form.timezone.data
    new = accounts.register(
        form.email.data,
        form.name.data,
        form.password.data,
        timezone=zone,
        address=request.remote_addr or "",
    )
    if form.sells:
        accounts.create_merchant(
            shop,
            new.user_id,
            currency=form.currency.data,
            timezone=zone,
            country=country_of(zone),
        )
    mails.verify_address(accounts.own_email(new.user_id), new.user_id, new.verification_token)
