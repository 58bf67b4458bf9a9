"""The merchant's home."""

from __future__ import annotations

from flask import render_template

from webapp.web.merchant import home_views
from webapp.web.merchant.door import blueprint, why_not


@blueprint.get("")
def home() -> str:
    """Show today's figures, the newest payments and the charts."""
    return render_template(
        "merchant/home.html",
        view=home_views.home(),
        why_not_create=why_not("create_order"),
        wants_charts=True,
    )


@blueprint.get("/live/charts")
def home_charts_live() -> str:
    """Return the charts, for an empty home that waits for its first figures."""
    return render_template("merchant/_charts.html", charts=home_views.charts())


@blueprint.get("/live")
def home_live() -> str:
    """Return the changing part of the home, for the script that keeps it fresh."""
    return render_template("merchant/_home.html", live=home_views.live())
