"""One table from kinds of refusal to answers, and the page that says them; never a stack trace."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import structlog
from flask import Flask, Response, current_app, g, jsonify, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from webapp.kernel import db, errors
from webapp.web.shared.addresses import shown_path

STATUS: dict[type[errors.Refusal], int] = {
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Forbidden: 403,
    errors.Invalid: 400,
    errors.Declined: 402,
    errors.Unavailable: 503,
}
RETRY_SECONDS = 2
#: How an error is answered: status, message or None for the usual one, code and param by name.
Answerer = Callable[..., Response]
SENTENCES: dict[int, tuple[str, str]] = {
    400: ("That request is not complete", "Go back, reload the page and try again."),
    401: ("Sign in first", "You are not signed in, or your session has ended."),
    402: ("The payment was declined", "No money has moved."),
    403: ("That is not allowed", "Your role does not allow that."),
    404: ("There is nothing here", "The address may be mistyped, or it is not yours to see."),
    405: ("That cannot be done this way", "Go back and use the button on the page."),
    408: ("That took too long", "What you sent did not arrive in full. Try again."),
    409: ("That was changed meanwhile", "Reload the page and look again."),
    413: ("That is too much at once", "What you sent is larger than this page takes."),
    429: ("Too many tries", "Wait a little and try again."),
    500: ("Something went wrong on our side", "Nothing was changed. The fault has been noted."),
    503: ("Not available at the moment", "Try again in a few seconds. Nothing is lost."),
}
_log = structlog.get_logger(__name__)


def install(app: Flask, *, machines: Mapping[str, Answerer]) -> None:
    """Answer refusals, protocol errors, passing database faults and our own faults.

    `machines` says who answers below which addresses, where programs ask and never want a page.
    A fault is logged here alone: Flask's own line would hold the whole address.
    """
    app.extensions["paydeck_machines"] = machines
    app.log_exception = _say_nothing  # type: ignore[method-assign,assignment]

    @app.errorhandler(errors.Refusal)
    def refused(refusal: errors.Refusal) -> Response:
        return answer(status_of(refusal), refusal.message, code=refusal.code, param=refusal.param)

    @app.errorhandler(CSRFError)
    def stale_form(_error: CSRFError) -> Response:
        message = "This form is out of date. Reload the page and send it again. Nothing changed."
        return answer(400, message, code="stale_form")

    @app.errorhandler(HTTPException)
    def protocol(error: HTTPException) -> Response:
        status = error.code or 500
        if error.response is not None:
            return make_response(error.response)
        return answer(status, None, code=f"http_{status}")

    @app.errorhandler(db.DatabaseError)
    def database(error: db.DatabaseError) -> Response:
        if db.is_passing(error):
            _log.warning("database_busy", error=type(error.orig).__name__)
            return answer(503, None, code="unavailable")
        return fault(error)

    @app.errorhandler(db.NoConnectionFree)
    def exhausted(_error: db.NoConnectionFree) -> Response:
        _log.warning("database_busy", error="NoConnectionFree")
        return answer(503, None, code="unavailable")

    @app.errorhandler(500)
    def fault(error: BaseException) -> Response:
        cause = getattr(error, "original_exception", None) or error
        _log.error("fault", path=shown_path(), exc_info=cause)
        return answer(500, None, code="fault")


def _say_nothing(_fault: object) -> None:
    """Stand where Flask would log a fault."""


def status_of(refusal: errors.Refusal) -> int:
    """Return the HTTP status of a refusal by its kind."""
    for kind in type(refusal).__mro__:
        if kind in STATUS:
            return STATUS[kind]
    return 500


def answer(status: int, message: str | None, *, code: str, param: str | None = None) -> Response:
    """Return the error as a page, or as JSON where that was asked for."""
    if (elsewhere := _machine_here()) is not None:
        return elsewhere(status, message, code=code, param=param)
    title, usual = SENTENCES.get(status, SENTENCES[500])
    said = message or usual
    request_id = g.get("request_id", "")
    if wants_json():
        body = {"error": {"code": code, "message": said, "param": param, "request_id": request_id}}
        response = jsonify(body)
    else:
        response = make_response(
            render_template(
                "errors/error.html", title=title, message=said, status=status, request_id=request_id
            )
        )
    response.status_code = status
    if status == 503:  # noqa: PLR2004 - service unavailable
        response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response


def _machine_here() -> Answerer | None:
    machines: Mapping[str, Answerer] = current_app.extensions["paydeck_machines"]
    for place, answerer in machines.items():
        if f"{request.path}/".startswith(f"{place}/"):
            return answerer
    return None


def wants_json() -> bool:
    """Whether the client asked for JSON rather than a page."""
    best = request.accept_mimetypes.best_match(["text/html", "application/json"])
    return best == "application/json" and (
        request.accept_mimetypes["application/json"] > request.accept_mimetypes["text/html"]
    )
