"""What waits for somebody: money set aside, refunds to approve or that failed, money held."""

from __future__ import annotations

from flask import render_template

from webapp.web.merchant.attention_views import attention_view
from webapp.web.merchant.door import blueprint


@blueprint.get("/attention")
def needs_attention() -> str:
    """Show everything that waits for a person, the most urgent first."""
    return render_template("merchant/attention.html", view=attention_view())


@blueprint.get("/attention/live")
def needs_attention_live() -> str:
    """Return the part that changes, for the script that keeps it fresh."""
    return render_template("merchant/_attention.html", view=attention_view())
