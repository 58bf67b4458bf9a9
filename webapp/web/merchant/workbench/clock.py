"""The test clock: what waits in test mode, and buttons that bring all of it nearer."""

from __future__ import annotations

from flask import flash, g, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp import test_clock
from webapp.kernel.errors import Invalid
from webapp.web.merchant.door import actor, blueprint, must
from webapp.web.merchant.workbench.clock_views import STEPS, clock_page, said_of
from webapp.web.shared.forms import once_per_form


@blueprint.get("/developers/test-clock")
def test_clock_page() -> str:
    """Show what waits in test mode, the soonest first; in live mode, that there is no clock."""
    view = None if g.merchant.livemode else clock_page()
    return render_template("merchant/developers/workbench/clock.html", view=view, steps=STEPS)


@blueprint.get("/developers/test-clock/live")
def test_clock_live() -> str:
    """Return the list of what waits alone, for the script that keeps it fresh."""
    return render_template("merchant/developers/workbench/_waiting.html", view=clock_page())


@blueprint.post("/developers/test-clock/advance")
def advance_test_clock() -> Response:
    """Bring everything that waits nearer; the same form sent twice does it once."""
    must("move_clock")
    step = next((one for one in STEPS if str(one.seconds) == request.form.get("seconds")), None)
    if step is None:
        raise Invalid("Choose one of the steps by which the clock goes forward.", param="seconds")

    def work() -> str:
        moved = test_clock.advance(
            g.merchant.id, step.seconds, livemode=g.merchant.livemode, by=actor()
        )
        flash(said_of(step, moved), "success" if any(moved.values()) else "warning")
        return url_for("merchant.test_clock_page")

    return once_per_form(work, livemode=g.merchant.livemode)
