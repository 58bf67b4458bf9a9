"""The integration exam: whether a program is ready for real money, by what was observed."""

from __future__ import annotations

from flask import render_template

from webapp.kernel import clock
from webapp.web.merchant.door import blueprint, must
from webapp.web.merchant.workbench.exam_views import exam


@blueprint.get("/developers/exam")
def exam_report() -> str:
    """Show each task with its evidence, or with what to do next; made to be printed too."""
    must("see_api_log")
    return render_template("merchant/developers/workbench/exam.html", view=exam(), now=clock.now())
