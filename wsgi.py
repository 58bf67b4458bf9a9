"""Settings, then the one application that was asked for: the front, the portal or the socket."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask

from jobs.subscriptions import ROUTES
from webapp import config, realtime
from webapp.app import BODY_LIMIT, create_app
from webapp.front import Front


def _make_front(settings: config.Settings) -> Front:
    app = create_app(settings, ROUTES)
    return Front(app, limit=BODY_LIMIT, proxies=settings.trusted_proxies)


MAKERS: dict[str, Callable[[config.Settings], Flask | Front]] = {
    "front": _make_front,
    "app": lambda settings: create_app(settings, ROUTES),
    "socket_app": realtime.make_socket_app,
}


def __getattr__(name: str) -> Flask | Front:
    """Make an application when a server asks for it; a process never pays for the others."""
    if name not in MAKERS:
        raise AttributeError(name)
    made = MAKERS[name](config.read())
    globals()[name] = made
    return made
