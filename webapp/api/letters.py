"""The letters that people get for what they ask for here; links lead to the portal’s pages."""

from __future__ import annotations

from flask import url_for

from webapp import notifications
from webapp.api.caller import settings


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


def password_changed(to: str, user_id: str) -> None:
    """Tell a person that their password was changed."""
    _send(to, "password_changed", about_id=user_id, forgot=_link("account.forgot"))


def _send(to: str, letter: str, *, about_id: str, **facts: object) -> None:
    mode = "live" if settings().livemode else "test"
    notifications.send_mail(to, letter, about_id=about_id, mode=mode, **facts)


def _link(endpoint: str, token: str | None = None) -> str:
    path = url_for(endpoint) if token is None else url_for(endpoint, token=token)
    return settings().public_url + path
