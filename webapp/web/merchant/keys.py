"""API keys: list, create, look at, roll, revoke; the text of a key is shown once, in the answer."""

from __future__ import annotations

from collections.abc import Callable

from flask import flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp import accounts
from webapp.accounts import NewKey, TooManyKeys
from webapp.kernel import clock
from webapp.kernel.errors import Invalid
from webapp.web.merchant.door import actor, blueprint, must, why_not
from webapp.web.merchant.key_forms import (
    LIVES,
    OVERLAPS,
    RESOURCES,
    USUAL_OVERLAP,
    KeyForm,
    acts_on,
    read_key_form,
    read_overlap,
)
from webapp.web.merchant.key_views import key_list, key_page, key_row
from webapp.web.shared.errors import status_of
from webapp.web.shared.forms import once_per_form

SENT_TWICE = (
    "That form was sent before, and the key was made then. Its text was shown once, in the first "
    "answer. If you did not see it, roll the key."
)


@blueprint.get("/developers/keys")
def key_rows() -> str:
    """Show the merchant's keys of this mode."""
    return render_template(
        "merchant/developers/keys.html", rows=key_list(), why_not=why_not("manage_keys")
    )


@blueprint.get("/developers/keys/new")
def new_key() -> str:
    """Show the form for a new key."""
    must("manage_keys")
    return _form_page(KeyForm(typed={"kind": "secret", "reach": "all"}))


@blueprint.post("/developers/keys")
def create_key() -> Response | str | tuple[str, int]:
    """Make a key and show its text; the same form sent again makes none and shows none."""
    must("manage_keys")
    form = read_key_form(request.form)
    if form.errors:
        return _form_page(form), 400

    def make() -> NewKey:
        return accounts.create_key(
            g.merchant.id,
            livemode=g.merchant.livemode,
            kind=form.kind,
            name=form.name,
            by=actor(),
            scopes=form.scopes,
            expires_at=clock.now() + form.life if form.life else None,
        )

    try:
        return _shown_once(make)
    except (Invalid, TooManyKeys) as wrong:
        form.errors[wrong.param or "name"] = wrong.message
        return _form_page(form), status_of(wrong)


@blueprint.get("/developers/keys/<string:key_id>")
def key(key_id: str) -> str:
    """Show one key: what it may do, its last use, and how to roll or revoke it."""
    return _key_page(key_id)


@blueprint.post("/developers/keys/<string:key_id>/roll")
def roll_key(key_id: str) -> Response | str | tuple[str, int]:
    """Put a new key in the place of this one, which goes on for the chosen while."""
    must("manage_keys")
    accounts.key_of(g.merchant.id, key_id)
    overlap = read_overlap(request.form)
    if overlap is None:
        return _key_page(key_id, "Choose from the list when the old key ends."), 400
    return _shown_once(
        lambda: accounts.roll_key(key_id, overlap=overlap, by=actor()), replaces=key_id
    )


@blueprint.post("/developers/keys/<string:key_id>/revoke")
def revoke_key(key_id: str) -> Response:
    """End a key at once, for good."""
    must("manage_keys")
    accounts.key_of(g.merchant.id, key_id)
    ended = accounts.revoke_key(key_id, by=actor())
    flash(f"{ended.shown} was revoked. It is refused from now on.", "success")
    return redirect(url_for("merchant.key", key_id=key_id), code=303)


def _shown_once(make: Callable[[], NewKey], *, replaces: str | None = None) -> Response | str:
    """Answer with the page that shows the new key's text, which is kept nowhere.

    A second sending of the form leads to the key's page, which says what can be done.
    """
    made: list[NewKey] = []

    def work() -> str:
        made.append(make())
        return url_for("merchant.key", key_id=made[0].key.id)

    answer = once_per_form(work, livemode=g.merchant.livemode)
    if not made:
        flash(SENT_TWICE, "warning")
        return answer
    old = key_row(accounts.key_of(g.merchant.id, replaces)) if replaces else None
    return render_template(
        "merchant/developers/key_shown.html",
        token=made[0].token,
        row=key_row(made[0].key),
        old=old,
    )


def _key_page(key_id: str, overlap_error: str | None = None) -> str:
    return render_template(
        "merchant/developers/key.html",
        view=key_page(key_id),
        overlaps=list(OVERLAPS.items()),
        overlap=USUAL_OVERLAP,
        overlap_error=overlap_error,
    )


def _form_page(form: KeyForm) -> str:
    return render_template(
        "merchant/developers/key_new.html",
        form=form,
        summary=[{"field": name, "message": says} for name, says in form.errors.items()],
        resources=[(name, label, acts_on(name)) for name, label in RESOURCES.items()],
        lives=list(LIVES.items()),
    )
