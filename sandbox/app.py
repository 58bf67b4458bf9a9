"""The sandbox as one Flask app."""

from urllib.parse import urlsplit

from flask import Flask, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from sandbox import control, pages
from sandbox.api import Api
from sandbox.config import Settings
from sandbox.store import Store

_LARGEST_BODY = 256 * 1024
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action {forms}; frame-ancestors {frames}"
)


def create_app(store: Store, settings: Settings) -> Flask:
    """The app on that store: API, hosted pages, card fields and control page."""
    app = Flask("sandbox")
    app.config["MAX_CONTENT_LENGTH"] = _LARGEST_BODY
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    Api(store, settings).mount(app)
    pages.mount(app, store, settings)
    control.mount(app, store, settings)

    @app.get("/health")
    def health() -> dict[str, str]:
        with store.read():
            return {"status": "ok"}

    @app.get("/")
    def root() -> AnyResponse:
        return redirect("/control", 303)

    @app.before_request
    def guard() -> Response | None:
        return _refuse_foreign_form(settings)

    @app.after_request
    def protect(response: Response) -> Response:
        return _protect(response)

    return app


def _refuse_foreign_form(settings: Settings) -> Response | None:
    """Pages of other origins may not post to the pages here; programs send no Origin."""
    if request.path.startswith("/v1/") or request.method == "GET":
        return None
    origin = request.headers.get("Origin")
    own = {settings.public_origin, request.host_url.rstrip("/")}
    hosts = {urlsplit(settings.public_origin).hostname, "localhost", "127.0.0.1", settings.host}
    if urlsplit(request.host_url).hostname not in hosts:
        return Response("This address does not belong to the sandbox.\n", 421)
    if origin and origin not in own:
        return Response("Forms are taken from the sandbox's own pages only.\n", 403)
    return None


def _protect(response: Response) -> Response:
    headers = response.headers
    forms = " ".join(["'self'", *headers.pop("X-Form-Origins", "").split()])
    frames = headers.pop("X-Frame-Origins", "'none'")
    headers["Content-Security-Policy"] = _POLICY.format(forms=forms, frames=frames)
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
    if frames == "'none'":
        headers["X-Frame-Options"] = "DENY"
        headers["Cross-Origin-Resource-Policy"] = "same-origin"
    if not request.path.startswith("/static/"):
        headers["Cache-Control"] = "no-store"
    return response
