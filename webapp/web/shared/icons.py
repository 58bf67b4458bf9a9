"""Icons from the one sprite, drawn in the colour of the text around them."""

from __future__ import annotations

from flask import Flask
from markupsafe import Markup

from webapp.web.shared.context import asset

SPRITE = "vendor/icons.svg"


def install(app: Flask) -> None:
    """Give the templates `icon(name)`."""
    app.jinja_env.globals["icon"] = icon


def icon(name: str) -> Markup:
    """Return a decorative icon named as in scripts/icons.txt; its words stand beside it."""
    return Markup('<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>').format(
        asset(SPRITE), name
    )
