"""The socket process: a small Flask application with Socket.IO and its own health page.

It knows people by the portal's cookies, and holds no page. One process with 400 threads; one
socket takes one thread.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Response, jsonify
from flask_socketio import SocketIO

from webapp.config import Settings
from webapp.kernel import crypto, db, log, wake
from webapp.realtime.bus import Bus
from webapp.realtime.gate import Gate
from webapp.realtime.hall import Hall

PING_SECONDS = 10
LARGEST_MESSAGE = 16 * 1024
POOL = {"pool_size": 4, "max_overflow": 8, "pool_timeout": 3}


def make_socket_app(settings: Settings) -> Flask:
    """Return the WSGI application of the socket process, to be served by threads."""
    log.configure(level=settings.log_level, as_json=True)
    crypto.use(crypto.KeyRing(settings.encryption_keys, settings.blind_index_key))
    wake.use(settings.redis_url)
    app = Flask("paydeck_realtime", static_folder=None)
    app.config.from_mapping(_flask_settings(settings))
    app.extensions["paydeck_settings"] = settings
    db.db.init_app(app)
    hall = Hall(app, settings)
    bus = Bus(settings.redis_url, on_return=hall.repeat_numbers)
    sockets = SocketIO(
        app,
        async_mode="threading",
        async_handlers=False,
        transports=["websocket"],
        client_manager=bus,
        cors_allowed_origins=[settings.public_url],
        max_http_buffer_size=LARGEST_MESSAGE,
        ping_interval=PING_SECONDS,
        ping_timeout=PING_SECONDS,
        manage_session=False,
    )
    hall.open(sockets)
    gate = Gate(app.wsgi_app, origin=settings.public_url)
    app.wsgi_app = gate  # type: ignore[method-assign]
    _tell_health(app, gate, bus)
    return app


def _tell_health(app: Flask, gate: Gate, bus: Bus) -> None:
    @app.get("/health")
    def health() -> Response:
        """Say how full it is and whether knocks arrive; 200 as long as it answers at all."""
        hears = bus.is_listening if gate.open else True
        answer = jsonify(
            status="UP" if hears else "DEGRADED", sockets=gate.open, most=gate.most, hears=hears
        )
        answer.headers["Cache-Control"] = "no-store"
        answer.headers["X-Content-Type-Options"] = "nosniff"
        return answer


def _flask_settings(settings: Settings) -> dict[str, object]:
    """Return what the two applications share, so that the portal's cookies are read here too."""
    prefix = "__Host-" if settings.is_https else ""
    binds = {db.Role.ADMIN.value: settings.database_admin_url}
    hosts = {urlsplit(url).hostname for url in (settings.public_url, settings.realtime_url)}
    return {
        "SECRET_KEY": settings.secret_key,
        "SQLALCHEMY_DATABASE_URI": settings.database_url,
        "SQLALCHEMY_BINDS": {role: url for role, url in binds.items() if url},
        "SESSION_COOKIE_NAME": f"{prefix}paydeck_{settings.port}_form",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": settings.is_https,
        "TRUSTED_HOSTS": sorted({"localhost", "127.0.0.1", *(host for host in hosts if host)}),
        "WTF_CSRF_TIME_LIMIT": None,
    }
