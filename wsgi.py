"""Settings, then the one application that was asked for: `wsgi:app` or `wsgi:socket_app`."""

from __future__ import annotations

from flask import Flask

from jobs.subscriptions import ROUTES
from webapp import config, realtime
from webapp.app import create_app

MAKERS = {
    "app": lambda settings: create_app(settings, ROUTES),
    "socket_app": realtime.make_socket_app,
}


def __getattr__(name: str) -> Flask:
    """Make an application when a server asks for it; a process never pays for the other one."""
    if name not in MAKERS:
        raise AttributeError(name)
    made = MAKERS[name](config.read())
    globals()[name] = made
    return made
