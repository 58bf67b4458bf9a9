"""The mails of this door: which letter goes to whom, with which link."""

from __future__ import annotations

from flask import url_for

from webapp import notifications
from webapp.web.shared.guards import settings


def verify_address(to: str, user_id: str, token: str) -> None:
    """Ask the owner of a new address to confirm it."""
    _send(to, "verify_email", about_id=user_id, link=_link("account.verify", token))


def already_registered(to: str) -> None:
    """Tell the owner of an address that somebody tried to sign up with it."""
    sign_in, forgot = _link("account.sign_in"), _link("account.forgot")
    _send(to, "already_registered", about_id="", sign_in=sign_in, forgot=forgot)


def choose_password(to: str, token: str) -> None:
    """Send the link by which a new password is chosen."""
    _send(to, "reset_password", about_id="", link=_link("account.reset", token))


def no_account(to: str) -> None:
    """Tell somebody who forgot which address they used that it was not this one."""
    _send(to, "no_account", about_id="", register=_link("account.register"))


def confirm_address(to: str, user_id: str, token: str) -> None:
    """Ask the owner of an address whether an account should move to it."""
    _send(to, "change_email", about_id=user_id, link=_link("account.confirm_email", token))


def address_changed(to: str, user_id: str) -> None:
    """Tell the address used so far that it is not used any more."""
    _send(to, "email_changed", about_id=user_id)


def password_changed(to: str, user_id: str) -> None:
    """Tell a person that their password was changed."""
    _send(to, "password_changed", about_id=user_id, forgot=_link("account.forgot"))


def _send(to: str, letter: str, *, about_id: str, **facts: object) -> None:
    mode = "live" if settings().livemode else "test"
    notifications.send_mail(to, letter, about_id=about_id, mode=mode, **facts)


def _link(endpoint: str, token: str | None = None) -> str:
    path = url_for(endpoint) if token is None else url_for(endpoint, token=token)
    return settings().public_url + path
