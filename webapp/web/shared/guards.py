"""Who may pass a door: each blueprint is registered with exactly one guard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, current_app, g, redirect, request, session, url_for
from werkzeug.wrappers import Response

from webapp.accounts import Member, MemberRole, Person
from webapp.config import Settings
from webapp.kernel import db
from webapp.kernel.errors import Forbidden, NotFound

Guard = Callable[[], Response | None]
GUARDS: dict[str, str] = {}
CHOSEN_MERCHANT = "merchant"
CHOSEN_MODE = "mode"
MODES = {"test": False, "live": True}


@dataclass(frozen=True, slots=True)
class MerchantContext:
    """The merchant whose door is open, in which mode, and what the person is there.

    `is_connected` says whether the installation's provider is one of that mode.
    """

    id: str
    name: str
    role: str
    timezone: str
    livemode: bool
    is_active: bool = True
    is_connected: bool = True

    @property
    def mode(self) -> str:
        """`live` or `test`."""
        return "live" if self.livemode else "test"


def guard(blueprint: Blueprint, check: Guard) -> Blueprint:
    """Put `check` before every request of the blueprint and note it; returns the blueprint."""
    blueprint.before_request(check)
    GUARDS[blueprint.name] = check.__name__
    return blueprint


def anyone() -> Response | None:
    """Let everybody pass; the view itself looks at what its address proves."""
    if g.person is not None:
        db.use_scope(db.Scope(user_id=g.person.user_id, livemode=settings().livemode))
    return None


def signed_in() -> Response | None:
    """Let signed-in people pass, others go to sign in and come back."""
    if g.person is None:
        return _to_sign_in()
    return anyone()


def merchant_door() -> Response | None:
    """Let members of a merchant pass, with the chosen merchant and mode in force."""
    if g.person is None:
        return _to_sign_in()
    member = chosen_member(g.person)
    if member is None:
        raise Forbidden("You do not belong to a merchant yet. Ask its owner, or register one.")
    connected = settings().livemode
    livemode = MODES.get(session.get(CHOSEN_MODE, ""), connected)
    g.merchant = MerchantContext(
        member.merchant_id,
        member.merchant_name,
        member.role,
        member.timezone,
        livemode,
        member.is_active,
        livemode == connected,
    )
    g.zone = member.timezone
    db.use_scope(db.Scope(merchant_id=member.merchant_id, livemode=livemode))
    return None


def admin_door() -> Response | None:
    """Let admins pass, as the admin role; to others the door is not there."""
    if g.person is None:
        return _to_sign_in()
    if not g.person.is_admin:
        raise NotFound
    db.use_scope(db.Scope(role=db.Role.ADMIN, livemode=settings().livemode))
    return None


def chosen_member(person: Person) -> Member | None:
    """Return the membership that the person chose, or the one with the most rights, or None."""
    chosen = session.get(CHOSEN_MERCHANT)
    for member in person.memberships:
        if member.merchant_id == chosen:
            return member
    rank = list(MemberRole)
    return min(person.memberships, key=lambda member: rank.index(member.role), default=None)


def settings() -> Settings:
    """Return the settings of the running app."""
    found: Settings = current_app.extensions["paydeck_settings"]
    return found


def _to_sign_in() -> Response:
    if request.method != "GET":
        return redirect(url_for("account.sign_in"), code=303)
    return redirect(url_for("account.sign_in", next=request.full_path.rstrip("?")), code=303)
