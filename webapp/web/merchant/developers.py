"""The merchant's pages for developers: their sub-tabs, and the way in."""

from __future__ import annotations

from collections.abc import Sequence

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from webapp.web.merchant.door import blueprint
from webapp.web.merchant.lists import Tab

#: What the tabs are called, and the endpoint that each opens, in their order.
TABS: tuple[tuple[str, str], ...] = (
    ("Keys", "merchant.key_rows"),
    ("Webhooks", "merchant.hooks"),
    ("Events", "merchant.event_rows"),
    ("Requests", "merchant.request_rows"),
    ("Test clock", "merchant.test_clock_page"),
    ("Guide", "merchant.guide"),
    ("Exam", "merchant.exam_report"),
)


@blueprint.get("/developers")
def developers() -> Response:
    """Go to the first of the developers' pages."""
    return redirect(url_for(TABS[0][1]))


@blueprint.context_processor
def give_tabs() -> dict[str, object]:
    """Give the templates `developer_tabs()`."""
    return {"developer_tabs": developer_tabs}


def developer_tabs() -> Sequence[Tab]:
    """Return the sub-tabs, with the one marked that the page belongs to."""
    path = request.path.replace("/developers/deliveries", "/developers/webhooks")
    addresses = [(label, url_for(endpoint)) for label, endpoint in TABS]
    return [Tab(label, href, active=f"{path}/".startswith(f"{href}/")) for label, href in addresses]
