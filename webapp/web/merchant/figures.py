"""The dashboard's figures as JSON in Plotly's schema, for the script that draws them anew."""

from __future__ import annotations

from flask import Response, jsonify, request

from webapp import analytics
from webapp.analytics import Subject
from webapp.kernel import clock
from webapp.kernel.errors import NotFound
from webapp.kernel.money import EXPONENTS
from webapp.web.merchant.charts import chart_words, subject
from webapp.web.merchant.door import blueprint


@blueprint.get("/figures/<string:name>.json")
def figure(name: str) -> Response:
    """Return a figure by name; unchanged figures are answered with 304. Raises NotFound."""
    currency = request.args.get("currency", "")
    if name not in FIGURES or currency not in EXPONENTS:
        raise NotFound
    response = jsonify(FIGURES[name](subject(currency)))
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Vary"] = "Cookie"
    response.add_etag()
    response.make_conditional(request)
    return response


def _volume(asked: Subject) -> analytics.Figure:
    return analytics.volume_figure(analytics.daily(asked, clock.now()), chart_words(asked.currency))


def _hours(asked: Subject) -> analytics.Figure:
    return analytics.hours_figure(analytics.hour_by_weekday(asked, clock.now()))


FIGURES = {"volume": _volume, "hours": _hours}
