"""The admin's pages about people: masked by default, unmasked only on request and on record."""

from __future__ import annotations

from flask import flash, make_response, redirect, render_template, url_for
from werkzeug.wrappers import Response

from webapp import accounts, audit
from webapp.accounts import User
from webapp.kernel import crypto, db
from webapp.kernel.errors import Forbidden
from webapp.web.admin.door import acting, blueprint
from webapp.web.admin.lists import asked_list
from webapp.web.admin.merchants import reason
from webapp.web.admin.people import trail_about
from webapp.web.shared.typed_again import shown_again


@blueprint.get("/admin/users")
def users() -> Response:
    """Show all people, newest first; an exact e-mail address finds one."""
    asked = asked_list()
    page = accounts.users_page(asked.page, status=asked.status, email=asked.typed or None)
    return make_response(
        render_template(
            "admin/users.html",
            page=page,
            rows=[_masked(user) for user in page.rows],
            counts=accounts.user_counts(),
            asked=asked,
        )
    )


@blueprint.get("/admin/users/<user_id>")
def user(user_id: str) -> Response:
    """Show one person, masked."""
    return _user_page(user_id, is_masked=True)


@blueprint.post("/admin/users/<user_id>/unmask")
def unmask_user(user_id: str) -> Response:
    """Show one person's name and address in the clear, and write down who asked."""
    with db.transaction():
        found = accounts.user_of(user_id)
        audit.record("user.unmasked", "user", found.id, by=acting())
    return _user_page(user_id, is_masked=False)


@blueprint.post("/admin/users/<user_id>/suspend")
@shown_again(user, "because")
def suspend_user(user_id: str) -> Response:
    """Close an account and end its sessions, for a reason that is kept."""
    if acting().id == user_id:
        raise Forbidden("You cannot suspend yourself. Ask another admin.")
    accounts.suspend_user(user_id, because=reason(), by=acting())
    flash("The account is suspended and signed out everywhere.", "success")
    return redirect(url_for("admin.user", user_id=user_id), code=303)


@blueprint.post("/admin/users/<user_id>/restore")
@shown_again(user, "because")
def restore_user(user_id: str) -> Response:
    """Open a suspended account again."""
    accounts.restore_user(user_id, because=reason(), by=acting())
    flash("The account is open again.", "success")
    return redirect(url_for("admin.user", user_id=user_id), code=303)


def _user_page(user_id: str, *, is_masked: bool) -> Response:
    found = accounts.user_of(user_id)
    return make_response(
        render_template(
            "admin/user.html",
            found=found,
            shown=_masked(found) if is_masked else _open(found),
            is_masked=is_masked,
            merchants=accounts.merchants_of(user_id),
            trail=trail_about("user", user_id),
        )
    )


def _masked(found: User) -> dict[str, object]:
    return {
        "id": found.id,
        "name": crypto.mask_name(found.name),
        "email": crypto.mask_email(found.email),
        "status": found.status,
        "is_admin": found.is_admin,
        "created_at": found.created_at,
    }


def _open(found: User) -> dict[str, object]:
    return {**_masked(found), "name": found.name, "email": found.email}
