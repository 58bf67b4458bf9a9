"""Every call of the provider's API, in one table."""

from collections.abc import Callable
from dataclasses import dataclass

from sandbox import charges, events, intents, payment_methods, refunds, sessions
from sandbox.store import Json
from sandbox.wire import Call


@dataclass(frozen=True, slots=True)
class Route:
    """One call: its name is what a fault and an idempotency record call it."""

    method: str
    path: str
    name: str
    handler: Callable[[Call], Json]
    publishable: bool = False


ROUTES = (
    Route("POST", "/v1/payment_intents", "payment_intents.create", intents.create),
    Route("GET", "/v1/payment_intents", "payment_intents.list", intents.list_intents),
    Route("GET", "/v1/payment_intents/search", "payment_intents.search", intents.search_intents),
    Route("GET", "/v1/payment_intents/<id>", "payment_intents.retrieve", intents.retrieve),
    Route("POST", "/v1/payment_intents/<id>", "payment_intents.update", intents.update),
    Route("POST", "/v1/payment_intents/<id>/confirm", "payment_intents.confirm", intents.confirm),
    Route("POST", "/v1/payment_intents/<id>/capture", "payment_intents.capture", intents.capture),
    Route("POST", "/v1/payment_intents/<id>/cancel", "payment_intents.cancel", intents.cancel),
    Route("GET", "/v1/charges", "charges.list", charges.list_charges),
    Route("GET", "/v1/charges/<id>", "charges.retrieve", charges.retrieve),
    Route("GET", "/v1/balance", "balance.retrieve", charges.balance),
    Route(
        "GET",
        "/v1/balance_transactions",
        "balance_transactions.list",
        charges.list_movements,
    ),
    Route(
        "GET",
        "/v1/balance_transactions/<id>",
        "balance_transactions.retrieve",
        charges.retrieve_movement,
    ),
    Route("POST", "/v1/refunds", "refunds.create", refunds.create),
    Route("GET", "/v1/refunds", "refunds.list", refunds.list_refunds),
    Route("GET", "/v1/refunds/<id>", "refunds.retrieve", refunds.retrieve),
    Route(
        "POST",
        "/v1/payment_methods",
        "payment_methods.create",
        payment_methods.create,
        publishable=True,
    ),
    Route("GET", "/v1/payment_methods/<id>", "payment_methods.retrieve", payment_methods.retrieve),
    Route("POST", "/v1/customers", "customers.create", payment_methods.create_customer),
    Route("GET", "/v1/customers", "customers.list", payment_methods.list_customers),
    Route("GET", "/v1/customers/<id>", "customers.retrieve", payment_methods.retrieve_customer),
    Route("POST", "/v1/checkout/sessions", "checkout.sessions.create", sessions.create),
    Route("GET", "/v1/checkout/sessions", "checkout.sessions.list", sessions.list_sessions),
    Route("GET", "/v1/checkout/sessions/<id>", "checkout.sessions.retrieve", sessions.retrieve),
    Route(
        "GET",
        "/v1/checkout/sessions/<id>/line_items",
        "checkout.sessions.line_items",
        sessions.list_lines,
    ),
    Route("POST", "/v1/checkout/sessions/<id>/expire", "checkout.sessions.expire", sessions.expire),
    Route("GET", "/v1/events", "events.list", events.list_events),
    Route("GET", "/v1/events/<id>", "events.retrieve", events.retrieve),
)
NAMES = tuple(route.name for route in ROUTES)
