"""create_app: the only file that knows every door."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask, abort, g, request
from flask_migrate import Migrate
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix
from whitenoise import WhiteNoise

from webapp import (
    api,
    cli,
    gateway,
    inbound,
    notifications,
    outbox,
    payments,
    refunds,
    webhooks,
)
from webapp.config import Settings
from webapp.front import REFUSED
from webapp.kernel import crypto, db, ids, log, wake
from webapp.web import account, admin, checkout, docs, home, mailbox, merchant, status
from webapp.web.shared import (
    addresses,
    context,
    errors,
    filters,
    icons,
    login,
    parts,
    security,
)

ROOT = Path(__file__).resolve().parent.parent
BODY_LIMIT = 256 * 1024
FORM_PARTS_LIMIT = 200
STATIC_AGE = 86_400
#: Below these addresses programs ask, and never want a page.
API_PLACES = ("/api", "/payments/initiate")


def create_app(settings: Settings, routes: Mapping[str, Sequence[str]]) -> Flask:
    """Make the portal. `routes` says which consumers are told of which event."""
    app = Flask("paydeck", root_path=str(ROOT), static_folder="static", template_folder="templates")
    app.config.from_mapping(_flask_settings(settings))
    app.extensions["paydeck_settings"] = settings
    log.configure(level=settings.log_level, as_json=True)
    crypto.use(crypto.KeyRing(settings.encryption_keys, settings.blind_index_key))
    wake.use(settings.redis_url)
    outbox.route(routes, also=settings.bus.sinks)
    gateway.use(settings)
    notifications.use(settings.public_url)
    webhooks.use(receiver=f"http://127.0.0.1:{settings.port}" if settings.demo else None)
    approval = {**payments.APPROVAL, **settings.refund_approval}
    payments.use_limits(approval)
    undo = dt.timedelta(seconds=settings.refund_undo_seconds)
    refunds.use(refunds.Limits(undo=undo, approval=approval))
    db.db.init_app(app)
    app.teardown_appcontext(db.let_go)
    Migrate(app, db.db, directory=str(ROOT / "migrations"))
    _install_pages(app, settings)
    cli.register(app)
    return app


def _install_pages(app: Flask, settings: Settings) -> None:
    _identify_requests(app)
    csrf = CSRFProtect(app)
    csrf.exempt(inbound.blueprint)
    csrf.exempt(inbound.receiver_blueprint)
    addresses.install(app)
    login.install(app, settings)
    security.install(app, settings)
    errors.install(app, machines=dict.fromkeys(API_PLACES, api.answer_elsewhere))
    filters.install(app)
    context.install(app, settings)
    icons.install(app)
    docs.use(app, api.error_codes)
    for door in (account, home, checkout, merchant, admin, status, docs, inbound):
        app.register_blueprint(door.blueprint)
    for programs in api.BLUEPRINTS:
        csrf.exempt(programs)
        app.register_blueprint(programs)
    if settings.demo:
        app.register_blueprint(mailbox.blueprint)
        app.register_blueprint(inbound.receiver_blueprint)
        app.register_blueprint(checkout.demo_blueprint)
        app.register_blueprint(parts.blueprint)
    static = WhiteNoise(
        app.wsgi_app,
        root=ROOT / "static",
        prefix="static/",
        max_age=STATIC_AGE,
        allow_all_origins=False,
        add_headers_function=security.static_headers(settings),
    )
    app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
        static,
        x_for=settings.trusted_proxies,
        x_proto=settings.trusted_proxies,
        x_host=0,
    )


def _identify_requests(app: Flask) -> None:
    @app.before_request
    def begin() -> None:
        g.request_id = ids.new("request")
        g.person = None
        g.merchant = None
        g.zone = "UTC"
        log.clear()
        log.bind(request_id=g.request_id, trace_id=_trace_id(), path=addresses.shown_path())
        db.use_scope(db.NOBODY)
        if refused := request.environ.get(REFUSED):
            abort(refused)


def _trace_id() -> str:
    parent = request.headers.get("traceparent", "").split("-")
    if len(parent) == 4 and len(parent[1]) == 32 and parent[1].isalnum():  # noqa: PLR2004 - W3C
        return parent[1]
    return ids.new("trace")


def _flask_settings(settings: Settings) -> dict[str, object]:
    host = urlsplit(settings.public_url).hostname or "localhost"
    prefix = "__Host-" if settings.is_https else ""
    binds = {
        db.Role.ADMIN.value: settings.database_admin_url,
        db.Role.OWNER.value: settings.database_owner_url,
    }
    return {
        "SECRET_KEY": settings.secret_key,
        "SQLALCHEMY_DATABASE_URI": settings.database_url,
        "SQLALCHEMY_BINDS": {role: url for role, url in binds.items() if url},
        "SESSION_COOKIE_NAME": f"{prefix}paydeck_{settings.port}_form",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": settings.is_https,
        "MAX_CONTENT_LENGTH": BODY_LIMIT,
        "MAX_FORM_MEMORY_SIZE": BODY_LIMIT,
        "MAX_FORM_PARTS": FORM_PARTS_LIMIT,
        "TRUSTED_HOSTS": [host, "localhost", "127.0.0.1"],
        "WTF_CSRF_TIME_LIMIT": None,
        "WTF_CSRF_SSL_STRICT": settings.is_https,
        "TEMPLATES_AUTO_RELOAD": False,
    }
