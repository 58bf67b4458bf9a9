"""The two blueprints of this door: open to anyone, and behind it one's own pages."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect, render_template

from webapp.kernel.errors import Refusal
from webapp.web.account.forms import AccountForm
from webapp.web.shared.errors import status_of
from webapp.web.shared.guards import anyone, guard, signed_in

blueprint = guard(Blueprint("account", __name__), anyone)
own = guard(Blueprint("own", __name__, url_prefix="/account"), signed_in)

BAD_FORM = 400


def page(template: str, *, status: int = 200, **facts: object) -> Response:
    """Return a page of this door with a status."""
    response = make_response(render_template(f"account/{template}", **facts))
    response.status_code = status
    return response


def see(address: str) -> Response:
    """Send the browser on to `address` with a GET."""
    return make_response(redirect(address, code=303))


def refused(form: AccountForm, refusal: Refusal, template: str, **facts: object) -> Response:
    """Show the form again with the refusal beside its field, or on top where it has none."""
    form.refuse(refusal)
    return page(template, status=status_of(refusal), form=form, **facts)
