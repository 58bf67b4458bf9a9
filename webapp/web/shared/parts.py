"""The parts page: every part of the look in every state, in demo mode only."""

from __future__ import annotations

from flask import Blueprint, render_template

from webapp.web.shared.guards import anyone, guard
from webapp.web.shared.samples import parts_context

blueprint = guard(Blueprint("parts", __name__), anyone)


@blueprint.get("/_parts")
def parts() -> str:
    """Show every part with sample figures."""
    return render_template("components/parts.html", **parts_context())
