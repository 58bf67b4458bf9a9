"""The log of API requests: what programs asked of the merchant's account, and what they got."""

from __future__ import annotations

from flask import render_template

from webapp.web.merchant.door import blueprint, must
from webapp.web.merchant.workbench.request_views import (
    METHODS,
    OUTCOMES,
    request_list,
    request_page,
)

SEE = "see_api_log"


@blueprint.get("/developers/requests")
def request_rows() -> str:
    """Show the requests that the filters of the address select."""
    must(SEE)
    return render_template(
        "merchant/developers/workbench/requests.html",
        view=request_list(),
        methods=list(METHODS.items()),
        outcomes=[(name, label) for name, (label, _failed) in OUTCOMES.items()],
    )


@blueprint.get("/developers/requests/live")
def request_rows_live() -> str:
    """Return the list alone, for the script that keeps it fresh."""
    must(SEE)
    return render_template("merchant/developers/workbench/_requests.html", view=request_list())


@blueprint.get("/developers/requests/<string:request_id>")
def request_row(request_id: str) -> str:
    """Show one request with its answer, and as a line for a shell."""
    must(SEE)
    return render_template(
        "merchant/developers/workbench/request.html", view=request_page(request_id)
    )
