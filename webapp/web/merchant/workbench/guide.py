"""The guide for developers: the first request, webhooks verified, test cards, doing things once."""

from __future__ import annotations

from flask import g, render_template

from webapp import accounts
from webapp.web.merchant.door import blueprint
from webapp.web.merchant.workbench import guide_checks
from webapp.web.merchant.workbench.guide_cards import TEST_CARDS
from webapp.web.merchant.workbench.guide_words import (
    DEMO_KEY,
    clock_snippet,
    curl_snippet,
    local_snippet,
    python_snippet,
)
from webapp.web.shared.guards import settings


@blueprint.get("/developers/guide")
def guide() -> str:
    """Show how to begin, with snippets that run as they stand."""
    portal, key = settings().public_url, _key()
    return render_template(
        "merchant/developers/workbench/guide.html",
        curl=curl_snippet(portal, key),
        python=python_snippet(portal, key),
        checks=guide_checks,
        local=local_snippet(portal, key, triggers=not g.merchant.livemode),
        clock="" if g.merchant.livemode else clock_snippet(portal, key),
        cards=[] if g.merchant.livemode else TEST_CARDS,
        has_key=key == DEMO_KEY,
    )


def _key() -> str:
    """Return the demo shop's key on its own pages in a demo, a placeholder everywhere else."""
    if settings().demo:
        keys = accounts.keys_of(g.merchant.id, livemode=g.merchant.livemode)
        if any(DEMO_KEY.startswith(one.prefix) and one.last_four == DEMO_KEY[-4:] for one in keys):
            return DEMO_KEY
    return "sk_live_…" if g.merchant.livemode else "sk_test_…"
