"""The door of the provider's API: keys, faults, repeated requests, then the call itself."""

import hmac
import logging
import time
from typing import Any

from flask import Flask, Response, request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from sandbox import chance, faults, idempotency
from sandbox.config import Settings
from sandbox.connection import ask_to_drop
from sandbox.events import API_VERSION
from sandbox.faults import Fault
from sandbox.idempotency import KeysInUse
from sandbox.intents import Declined
from sandbox.lists import expanded
from sandbox.routes import ROUTES, Route
from sandbox.store import Json, Store, Transaction
from sandbox.wire import Answer, ApiError, Call, Params, dump, invalid, parse_form

_LOG = logging.getLogger("sandbox.api")
_LONGEST_SLOWNESS_SECONDS = 120


class Api:
    """Answers the calls of the route table from one store."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._keys = KeysInUse()

    def mount(self, app: Flask) -> None:
        """Adds every call of the table to the app, and an answer for unknown ones."""
        for route in ROUTES:
            app.add_url_rule(
                route.path,
                endpoint=route.name,
                view_func=self._view(route),
                methods=[route.method],
            )
        app.add_url_rule(
            "/v1/<path:rest>",
            endpoint="unknown",
            view_func=_unknown,
            methods=["GET", "POST", "DELETE"],
        )
        app.register_error_handler(HTTPException, _refused)

    def _view(self, route: Route) -> Any:
        def view(**arguments: str) -> Response:
            return self._answer(route, arguments)

        return view

    def _answer(self, route: Route, arguments: dict[str, str]) -> Response:
        request_id = chance.new_id("req_", 14)
        try:
            publishable = self._who(route)
            fault = self._hit(route)
        except ApiError as refusal:
            return _response(refusal.answer(), request_id)
        if fault and fault.drops_before:
            return ask_to_drop()
        answer = faults.answer_before(fault) if fault else None
        if answer:
            return _response(answer, request_id)
        replayed = False
        try:
            with self._keys.held(_key()):
                answer, replayed = self._work(route, arguments, request_id, fault, publishable)
                if fault and fault.kind == "slow":
                    time.sleep(min(fault.seconds, _LONGEST_SLOWNESS_SECONDS))
        except ApiError as refusal:
            answer = refusal.answer()
        if fault and fault.drops_after:
            return ask_to_drop()
        return _response(answer, request_id, replayed=replayed)

    def _who(self, route: Route) -> bool:
        """Whether the call is made with the publishable key; refuses every other stranger."""
        sent = ""
        if request.authorization:
            sent = request.authorization.token or request.authorization.username or ""
        if hmac.compare_digest(sent.encode(), self._settings.secret_key.encode()):
            return False
        if not hmac.compare_digest(sent.encode(), self._settings.publishable_key.encode()):
            raise ApiError(401, _stranger(sent), remember=False)
        if not route.publishable:
            raise ApiError(
                401,
                "This API call cannot be made with a publishable API key. Please use a secret API "
                "key.",
                remember=False,
                code="secret_key_required",
            )
        return True

    def _hit(self, route: Route) -> Fault | None:
        with self._store.read() as tx:
            fault = faults.find(tx, route.name)
        if fault is None or fault.times is None:
            return fault
        with self._store.write() as tx:
            fault = faults.find(tx, route.name)
            if fault:
                faults.use_up(tx, fault)
        return fault

    def _work(
        self,
        route: Route,
        arguments: dict[str, str],
        request_id: str,
        fault: Fault | None,
        publishable: bool,  # noqa: FBT001 a fact of the request, not a switch
    ) -> tuple[Answer, bool]:
        sent = parse_form(_pairs(request.form if route.method == "POST" else request.args))
        if route.method == "GET":
            with self._store.read() as tx:
                call = self._call(tx, sent, arguments, request_id)
                return _run(route, call), False
        key, mark = _key(), idempotency.fingerprint(sent)
        with self._store.write() as tx:
            if key and (kept := idempotency.recall(tx, key, request.path, mark)):
                return kept, True
            call = self._call(tx, sent, arguments, request_id)
            call.idempotency_key, call.publishable = key, publishable
            answer, lasting = _run_once(route, call)
            if fault and fault.kind == "500_after":
                answer = faults.server_error()
            if key and lasting:
                idempotency.remember(tx, key, request.path, mark, answer)
        return answer, False

    def _call(
        self, tx: Transaction, sent: Json, arguments: dict[str, str], request_id: str
    ) -> Call:
        return Call(tx, Params(sent), self._settings, arguments, request_id)


def _run_once(route: Route, call: Call) -> tuple[Answer, bool]:
    """The answer, and whether it is kept; a refusal leaves nothing behind, a decline does."""
    call.tx.db.execute("SAVEPOINT handler")
    try:
        answer = _run(route, call)
    except Declined as declined:
        return declined.decline.answer(), True
    except ApiError as refusal:
        call.tx.db.execute("ROLLBACK TO handler")
        return refusal.answer(), refusal.remember
    return answer, True


def _run(route: Route, call: Call) -> Answer:
    paths = call.params.items("expand")
    body = route.handler(call)
    call.params.finish()
    return Answer(200, dump(expanded(call.tx, body, paths)))


def _key() -> str | None:
    return request.headers.get("Idempotency-Key") if request.method == "POST" else None


def _pairs(form: MultiDict[str, str]) -> list[tuple[str, str]]:
    if request.method == "POST" and request.content_length and not form:
        raise invalid("Invalid request: send parameters form-encoded.")
    return list(form.items(multi=True))


def _stranger(sent: str) -> str:
    if not sent:
        return (
            "You did not provide an API key. You need to provide your API key in the Authorization "
            "header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY')."
        )
    return f"Invalid API Key provided: {sent[:7]}****{sent[-4:]}"


def _response(answer: Answer, request_id: str, *, replayed: bool = False) -> Response:
    response = Response(answer.body, answer.status, content_type="application/json")
    response.headers["Request-Id"] = request_id
    response.headers["Stripe-Version"] = request.headers.get("Stripe-Version", API_VERSION)
    if key := _key():
        response.headers["Idempotency-Key"] = key[:255]
    if replayed:
        response.headers["Idempotent-Replayed"] = "true"
    return response


def _unknown(rest: str) -> Response:
    message = (
        f"Unrecognized request URL ({request.method}: /v1/{rest}). The sandbox speaks only a part "
        "of the provider's API."
    )
    return _response(ApiError(404, message).answer(), chance.new_id("req_", 14))


def _refused(error: HTTPException) -> AnyResponse:
    """What goes wrong outside a call's own work, in the provider's shape under its addresses."""
    if not request.path.startswith("/v1/"):
        return error.get_response()
    status = error.code or 500
    kind = "invalid_request_error" if status < 500 else "api_error"  # noqa: PLR2004 server errors
    refusal = ApiError(status, error.description or error.name, type=kind)
    return _response(refusal.answer(), chance.new_id("req_", 14))
