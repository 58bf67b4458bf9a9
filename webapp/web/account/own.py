"""One's own pages: profile, address, password, and the browsers that are signed in."""

from __future__ import annotations

from flask import Response, flash, g, url_for

from webapp import accounts
from webapp.kernel.errors import Invalid
from webapp.web.account import mails
from webapp.web.account.devices import this_device
from webapp.web.account.door import BAD_FORM, blueprint, own, page, refused, see
from webapp.web.account.entry import TOO_MANY
from webapp.web.account.forms import EmailForm, PasswordForm, PlainForm, ProfileForm
from webapp.web.account.presenters import profile_of, session_row
from webapp.web.shared import login

PROFILE, EMAIL, PASSWORD = "profile.html", "email.html", "password.html"


@own.get("")
def profile() -> Response:
    """Show one's profile."""
    user = accounts.user_of(g.person.user_id)
    form = ProfileForm(name=user.name, phone=user.phone or "", timezone=user.timezone)
    return page(PROFILE, form=form, profile=profile_of(user, g.person))


@own.post("")
def change_profile() -> Response:
    """Change name, phone number and time zone."""
    form = ProfileForm()
    view = profile_of(accounts.user_of(g.person.user_id), g.person)
    if not form.validate():
        return page(PROFILE, status=BAD_FORM, form=form, profile=view)
    try:
        accounts.update_profile(
            g.person.user_id,
            name=form.name.data,
            phone=form.phone.data or "",
            timezone=form.timezone.data,
        )
    except Invalid as wrong:
        return refused(form, wrong, PROFILE, profile=view)
    flash("Your profile is saved.", "toast")
    return see(url_for("account.own.profile"))


@own.post("/verification")
def send_verification() -> Response:
    """Send the link that confirms one's address once more."""
    try:
        token = accounts.ask_verification(g.person.user_id, address=this_device().address)
    except accounts.TooManyTries as wait:
        flash(wait.message, "warning")
        return see(url_for("account.own.profile"))
    if token is not None:
        mails.verify_address(g.person.email, g.person.user_id, token)
        flash(f"A new link is on its way to {g.person.email}.", "success")
    return see(url_for("account.own.profile"))


@own.get("/email")
def email() -> Response:
    """Show the form that asks for another address."""
    return page(EMAIL, form=EmailForm(email=""))


@own.post("/email")
def ask_new_email() -> Response:
    """Mail a link to the new address; nothing changes until it is opened."""
    form = EmailForm()
    if not form.validate():
        return page(EMAIL, status=BAD_FORM, form=form)
    wanted = form.email.data.strip()
    try:
        wanted = accounts.checked_email(wanted)
        token = accounts.ask_new_email(
            g.person,
            new_email=wanted,
            current=form.current.data,
            address=this_device().address,
        )
        mails.confirm_address(wanted, g.person.user_id, token)
    except accounts.AlreadyRegistered:
        mails.already_registered(wanted)
    except accounts.TooManyTries as wait:
        form.refuse(wait)
        return page(EMAIL, status=TOO_MANY, form=form)
    except (Invalid, accounts.Busy) as wrong:
        return refused(form, wrong, EMAIL)
    flash(f"Open the link that we sent to {wanted}. Until then nothing changes.", "success")
    return see(url_for("account.own.profile"))


@own.get("/password")
def password() -> Response:
    """Show the form for a new password."""
    return page(PASSWORD, form=PasswordForm())


@own.post("/password")
def change_password() -> Response:
    """Change the password; other browsers are signed out, this one gets a new session."""
    form = PasswordForm()
    if not form.validate():
        return page(PASSWORD, status=BAD_FORM, form=form)
    try:
        signed_in = accounts.change_password(
            g.person, current=form.current.data, new=form.new.data, device=this_device()
        )
    except accounts.TooManyTries as wait:
        form.refuse(wait)
        return page(PASSWORD, status=TOO_MANY, form=form)
    except (Invalid, accounts.WrongCredentials, accounts.Busy) as wrong:
        return refused(form, wrong, PASSWORD)
    mails.password_changed(g.person.email, g.person.user_id)
    login.renew_form_seed()
    flash("Your password is changed. Every other browser was signed out.", "success")
    return login.remember(see(url_for("account.own.profile")), signed_in)


@own.get("/sessions")
def sessions() -> Response:
    """List the browsers that are signed in."""
    found = accounts.sessions_of(g.person.user_id)
    rows = [session_row(one, g.person.session_id) for one in found]
    return page("sessions.html", form=PlainForm(), sessions=rows)


@own.post("/sessions/<session_id>/revoke")
def revoke_session(session_id: str) -> Response:
    """Sign one of one's own browsers out."""
    accounts.revoke_session(g.person.user_id, session_id)
    if session_id == g.person.session_id:
        return login.forget(see(url_for("account.sign_in")))
    flash("That browser is signed out.", "toast")
    return see(url_for("account.own.sessions"))


@own.post("/sessions/revoke-others")
def revoke_other_sessions() -> Response:
    """Sign every other browser out."""
    accounts.revoke_other_sessions(g.person.user_id, g.person.session_id)
    flash("Every other browser is signed out.", "toast")
    return see(url_for("account.own.sessions"))


blueprint.register_blueprint(own)
