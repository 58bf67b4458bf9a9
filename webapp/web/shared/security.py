"""Headers on every answer: a strict static content security policy and the rest."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit
from wsgiref.headers import Headers

from flask import Flask, Response, g, request

from webapp.config import Settings
from webapp.kernel.errors import Forbidden

#: With Stripe's own keys the checkout, and only it, loads Stripe's script and frames.
STRIPE_SCRIPT = "https://js.stripe.com"
STRIPE_FRAMES = "https://js.stripe.com https://hooks.stripe.com"
STRIPE_API = "https://api.stripe.com"
STRIPE_HOSTED = "https://checkout.stripe.com https://hooks.stripe.com"
CHECKOUT = "checkout"
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
MACHINE_DOORS = frozenset({"inbound", "api", "api_root"})


#: What every answer carries, pages and static files alike.
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "strict-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
}
HSTS = "max-age=31536000; includeSubDomains"


def install(app: Flask, settings: Settings) -> None:
    """Put the headers on every answer, errors included, and refuse foreign unsafe requests."""
    everywhere = policy(settings, is_checkout=False)
    checkout = policy(settings, is_checkout=True)

    @app.before_request
    def refuse_foreign_origin() -> None:
        if request.method in UNSAFE and request.blueprint not in MACHINE_DOORS:
            origin = request.headers.get("Origin")
            fetch_site = request.headers.get("Sec-Fetch-Site", "same-origin")
            if (origin and origin != settings.public_url) or fetch_site == "cross-site":
                raise Forbidden("This form was sent from another site. Open the page here first.")

    @app.after_request
    def add_headers(response: Response) -> Response:
        is_checkout = request.blueprint == CHECKOUT
        headers = response.headers
        headers["Content-Security-Policy"] = checkout if is_checkout else everywhere
        headers.update(ALWAYS)
        headers["X-Request-Id"] = g.get("request_id", "")
        headers.setdefault("Cache-Control", "no-store")
        if settings.is_https:
            headers["Strict-Transport-Security"] = HSTS
        return response


def static_headers(settings: Settings) -> Callable[[Headers, str, str], None]:
    """Return what puts the headers on static files, which never pass through the application."""
    always = {**ALWAYS, "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'"}
    if settings.is_https:
        always["Strict-Transport-Security"] = HSTS

    def add(headers: Headers, _path: str, _url: str) -> None:
        for name, value in always.items():
            headers[name] = value

    return add


def policy(settings: Settings, *, is_checkout: bool) -> str:
    """Return the content security policy of the checkout, or of every other page."""
    realtime = f"{settings.realtime_url} {_socket_origin(settings.realtime_url)}"
    rules = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "font-src": "'self'",
        "connect-src": f"'self' {realtime}",
        "manifest-src": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
        "object-src": "'none'",
    }
    if is_checkout and settings.is_sandbox:
        rules["frame-src"] = settings.provider_origin
        rules["form-action"] = f"'self' {settings.provider_origin}"
    elif is_checkout:
        rules["script-src"] = f"'self' {STRIPE_SCRIPT}"
        rules["frame-src"] = STRIPE_FRAMES
        rules["connect-src"] = f"'self' {realtime} {STRIPE_API}"
        rules["form-action"] = f"'self' {STRIPE_HOSTED}"
    return "; ".join(f"{name} {sources}" for name, sources in rules.items())


def _socket_origin(realtime_url: str) -> str:
    parts = urlsplit(realtime_url)
    return f"{'wss' if parts.scheme == 'https' else 'ws'}://{parts.netloc}"
