"""Who is signed in: the one place that knows Flask-Login and the session cookie.

People are found through `request_loader` alone, at every request, from the session in the
database; Flask-Login's own session keys and its remember cookie are off.
"""

from __future__ import annotations

import datetime as dt

from flask import Flask, Request, Response, current_app, g, request, session
from flask_login import LoginManager, UserMixin, current_user

from webapp import accounts
from webapp.config import Settings
from webapp.kernel import clock
from webapp.web.shared.security import MACHINE_DOORS

#: No browser can send a cookie of this name, so Flask-Login never finds its remember cookie.
NO_COOKIE = "no;cookie"
#: With this header a page asks for its live parts by itself.
LIVE_PART = "X-Fragment"


class Seat(UserMixin):  # type: ignore[misc]
    """A signed-in person in the shape that Flask-Login asks for."""

    def __init__(self, person: accounts.Person) -> None:
        self.person = person

    def get_id(self) -> str:
        """Return the person's id; it is put into no cookie."""
        return self.person.user_id


def install(app: Flask, settings: Settings) -> None:
    """Look up the person before every request and put them into `g.person` and `g.zone`."""
    app.config.update(REMEMBER_COOKIE_NAME=NO_COOKIE, SESSION_PROTECTION=None)
    accounts.use(usual_fee_bps=settings.fee_bps)
    accounts.use_token_secret(settings.jwt_secret)
    accounts.use_demo_keys(is_demo=settings.demo)
    manager = LoginManager()
    manager.init_app(app, add_context_processor=False)
    manager.request_loader(_find)

    @app.before_request
    def know_the_person() -> None:
        if request.endpoint == "static" or request.blueprint in MACHINE_DOORS:
            return
        seat = current_user._get_current_object()  # noqa: SLF001 - the proxy's documented way out
        if isinstance(seat, Seat):
            g.person = seat.person
            g.zone = seat.person.timezone


def token() -> str | None:
    """Return the session token that the browser sent, or None."""
    return request.cookies.get(_settings().session_cookie)


def renew_form_seed() -> None:
    """Forget what the form cookie holds, so that forms from before no longer pass as one's own."""
    session.clear()
    g.pop("csrf_token", None)


def remember(response: Response, signed_in: accounts.SignedIn) -> Response:
    """Give the browser its session cookie; it lasts as long as the session may."""
    response.set_cookie(
        _settings().session_cookie,
        signed_in.session_token,
        max_age=max(dt.timedelta(0), signed_in.ends_at - clock.now()),
        path="/",
        secure=_settings().is_https,
        httponly=True,
        samesite="Lax",
    )
    return response


def forget(response: Response) -> Response:
    """Take the session cookie from the browser."""
    response.delete_cookie(
        _settings().session_cookie,
        path="/",
        secure=_settings().is_https,
        httponly=True,
        samesite="Lax",
    )
    return response


def _find(asked: Request) -> Seat | None:
    sent = asked.cookies.get(_settings().session_cookie)
    prolong = LIVE_PART not in asked.headers
    person = accounts.person_for(sent, prolong=prolong) if sent else None
    return Seat(person) if person is not None else None


def _settings() -> Settings:
    found: Settings = current_app.extensions["paydeck_settings"]
    return found
