"""/health with its checks, /ready for traffic, and the way from the bare address to a page."""

from __future__ import annotations

from flask import Blueprint, Response, g, jsonify, redirect
from werkzeug.wrappers import Response as AnyResponse

from webapp.kernel import clock
from webapp.web.shared.guards import anyone, guard
from webapp.web.status import checks

blueprint = guard(Blueprint("status", __name__), anyone)
NOT_READY = 503


@blueprint.get("/")
def start() -> AnyResponse:
    """Lead everybody to where their work is."""
    if g.person is None:
        return redirect("/sign-in", code=303)
    if g.person.is_admin:
        return redirect("/admin", code=303)
    return redirect("/merchant" if g.person.memberships else "/home", code=303)


@blueprint.get("/health")
def health() -> Response:
    """Say how the portal and what it depends on are; 200 also when degraded, since it serves."""
    found = checks.all_checks()
    return jsonify(
        status=checks.overall(found),
        timestamp=clock.now().isoformat(),
        checks={check.name: check.as_json() for check in found},
    )


@blueprint.get("/ready")
def ready() -> Response:
    """Say whether requests can be served: that needs the database, and nothing else."""
    check = checks.database()
    answer = jsonify(status="ready" if check.is_healthy else "not ready", error=check.error)
    answer.status_code = 200 if check.is_healthy else NOT_READY
    return answer
