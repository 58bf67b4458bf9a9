"""How an operation is declared and served: read, run once a key, answer; one table of them all."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Required, TypedDict, TypeVar, Unpack, get_type_hints

from flask import Blueprint, Response, g, request
from pydantic import BaseModel
from werkzeug.routing import Rule

from webapp import idempotency
from webapp.api import once, reading
from webapp.api.caller import Needs
from webapp.api.models import Body, Query

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")
#: The same door at addresses that were promised elsewhere, such as /payments/initiate.
root_blueprint = Blueprint("api_root", __name__)
BLUEPRINTS = (blueprint, root_blueprint)
View = TypeVar("View", bound=Callable[..., object])


class Key(StrEnum):
    """Whether an operation takes an Idempotency-Key."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Reply:
    """A JSON answer with a status of its own.

    Views may return just the body instead, or an idempotency.Answer with the very bytes.
    """

    body: object
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)


class Told(TypedDict, total=False):
    """What is told of an operation: tag, the model of its answer, its usual status, its key.

    `before` is called with what the view is called with, before any transaction is open: it may put
    another scope of the database in force. `root` operations stand outside /api/v1. `media` is what
    is answered where that is not JSON.
    """

    tag: Required[str]
    gives: Required[type[BaseModel]]
    status: int
    key: Key
    is_list: bool
    before: Callable[..., None]
    root: bool
    media: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One method at one address: who may, what comes in, what goes out."""

    method: str
    rule: str
    view: Callable[..., object]
    needs: Needs
    tag: str
    gives: type[BaseModel]
    status: int
    key: Key
    is_list: bool
    query: type[Query] | None
    body: type[Body] | None
    before: Callable[..., None] | None = None
    root: bool = False
    media: str = "application/json"

    @property
    def door(self) -> Blueprint:
        """The blueprint behind which the operation stands."""
        return root_blueprint if self.root else blueprint

    @property
    def address(self) -> str:
        """The whole rule, such as `/api/v1/orders/<string:order_id>`."""
        return f"{self.door.url_prefix or ''}{self.rule}"

    @property
    def name(self) -> str:
        """The operation's name, such as `create_order`."""
        return self.view.__name__

    @property
    def tells_secret(self) -> bool:
        """Whether its answer tells something that opens a door and is told once."""
        return bool(getattr(self.gives, "TELLS_SECRET", False))


#: Every operation by its endpoint (`api.create_order`).
OPERATIONS: dict[str, Operation] = {}


def get(rule: str, **told: Unpack[Told]) -> Callable[[View], View]:
    """Declare what is read at `rule`; `is_list` where pages of `gives` are."""
    return _route("GET", rule, {"key": Key.NONE, **told})


def post(rule: str, **told: Unpack[Told]) -> Callable[[View], View]:
    """Declare what is done at `rule`, once for each Idempotency-Key; 201 unless said otherwise."""
    return _route("POST", rule, {"key": Key.REQUIRED, "status": 201, **told})


def patch(rule: str, **told: Unpack[Told]) -> Callable[[View], View]:
    """Declare what is changed at `rule`; a key may be sent."""
    return _route("PATCH", rule, {"key": Key.OPTIONAL, **told})


def delete(rule: str, **told: Unpack[Told]) -> Callable[[View], View]:
    """Declare what is ended at `rule`; a key may be sent."""
    return _route("DELETE", rule, {"key": Key.OPTIONAL, **told})


def put(rule: str, **told: Unpack[Told]) -> Callable[[View], View]:
    """Declare what is replaced at `rule`; a key may be sent."""
    return _route("PUT", rule, {"key": Key.OPTIONAL, **told})


def operation_here() -> Operation | None:
    """Return the operation that the present request asks for, where it is one."""
    return OPERATIONS.get(request.endpoint or "")


def operations_at(rule: Rule | None) -> list[Operation]:
    """Return every operation at the address of a rule, whatever its method."""
    return [one for one in OPERATIONS.values() if rule is not None and one.address == rule.rule]


def _route(method: str, rule: str, told: Told) -> Callable[[View], View]:
    def register(view: View) -> View:
        hints = get_type_hints(view)
        operation = Operation(
            method=method,
            rule=rule,
            view=view,
            needs=view.needs,  # type: ignore[attr-defined]
            tag=told["tag"],
            gives=told["gives"],
            status=told.get("status", 200),
            key=told.get("key", Key.NONE),
            is_list=told.get("is_list", False),
            query=hints.get("query"),
            body=hints.get("body"),
            before=told.get("before"),
            root=told.get("root", False),
            media=told.get("media", "application/json"),
        )
        OPERATIONS[f"{operation.door.name}.{operation.name}"] = operation
        operation.door.add_url_rule(
            rule, operation.name, _serving(operation), methods=[method], strict_slashes=True
        )
        return view

    return register


def _serving(operation: Operation) -> Callable[..., Response]:
    def serve(**path: str) -> Response:
        sent = _read(operation, path)
        if operation.before is not None:
            operation.before(**path, **sent)

        def work() -> idempotency.Answer:
            return _answer(operation, operation.view(**path, **sent))

        if operation.key is Key.NONE:
            return once.respond(work())
        hashed = (request.path, request.query_string.decode("latin-1"))
        must = operation.key is Key.REQUIRED
        return once.respond(
            once.run(work, must=must, hashed=hashed, tells_secret=operation.tells_secret)
        )

    return serve


def _read(operation: Operation, path: Mapping[str, str]) -> dict[str, Any]:
    """Return the query and body as the view takes them; what it does not take is refused."""
    g.path_ids = dict(path)
    sent: dict[str, Any] = {}
    if operation.query is None:
        reading.no_query()
    else:
        sent["query"] = reading.query_of(operation.query)
    if operation.body is not None:
        sent["body"] = reading.body_of(operation.body, reading.json_body())
    elif operation.method != "GET":
        reading.no_body()
    return sent


def _answer(operation: Operation, given: object) -> idempotency.Answer:
    if isinstance(given, idempotency.Answer):
        return given
    reply = given if isinstance(given, Reply) else Reply(given, operation.status)
    text = json.dumps(reply.body, ensure_ascii=False, separators=(",", ":"))
    if isinstance(reply.body, dict):
        g.object_id = reply.body.get("id")
    return idempotency.Answer(reply.status, text.encode(), dict(reply.headers))
