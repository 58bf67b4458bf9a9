"""What every template can use: static addresses, who looks, which mode, the live connection."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from flask import Flask, current_app, g

from webapp.config import Settings
from webapp.kernel import clock
from webapp.web.shared.forms import new_form_key
from webapp.web.shared.guards import MerchantContext
from webapp.web.shared.shell import frame
from webapp.web.shared.typed_again import wrong_form

SHORT = 10


def install(app: Flask, settings: Settings) -> None:
    """Give the templates their globals."""
    app.jinja_env.globals["asset"] = asset
    app.jinja_env.globals["new_form_key"] = new_form_key
    app.jinja_env.globals["wrong_form"] = wrong_form
    app.jinja_env.globals["now"] = clock.now

    @app.context_processor
    def everywhere() -> dict[str, object]:
        return {
            "person": g.get("person"),
            "merchant": g.get("merchant"),
            "mode": mode(settings),
            "is_sandbox": settings.is_sandbox,
            "is_demo": settings.demo,
            "zone": g.get("zone", "UTC"),
            "request_id": g.get("request_id", ""),
            **frame(settings),
        }


def mode(settings: Settings) -> str:
    """Return the mode that a page is in: a merchant's pages that which was chosen there."""
    merchant: MerchantContext | None = g.get("merchant")
    if merchant is not None:
        return merchant.mode
    return "live" if settings.livemode else "test"


def asset(path: str) -> str:
    """Return a static file's address with its contents' hash, so that a new one is fetched."""
    return f"/static/{path}?v={_digest(path)}"


@cache
def _digest(path: str) -> str:
    folder = Path(current_app.static_folder or "static")
    file = folder / path
    if not file.is_file():
        return "0"
    return hashlib.sha256(file.read_bytes()).hexdigest()[:SHORT]
