"""Endpoints, events and a network that a test answers for; times are the database's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import text

from jobs.subscriptions import WEBHOOKS
from tests.builders import an_order
from webapp import outbox, webhooks
from webapp.kernel import db
from webapp.outbox import Actor
from webapp.webhooks import Came, Endpoint, NewEndpoint, Request, policy

BY = Actor("merchant_user", "usr_1")
PUBLIC = "93.184.216.34"
URL = "https://shop.example/hooks"
FINE = Came(200, 0.05, address=PUBLIC, body="thanks")


def broken(status: int | None = 500, *, seconds: float = 0.05, **headers: str) -> Came:
    """Return an answer that is no success, or none, after so long."""
    told = f"webhook delivery failed: status {status}" if status else "no answer in time"
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Came(status, seconds, address=PUBLIC, headers=named, error=told)


@dataclass
class Server:
    """A transport that answers as it is told and keeps what came; `answer` is asked each time."""

    answer: Callable[[Request], Came] = lambda _request: FINE
    got: list[Request] = field(default_factory=list)

    def post(self, request: Request) -> Came:
        """Keep and answer."""
        self.got.append(request)
        return self.answer(request)

    def hook(self, name: str) -> None:
        """Stand nowhere: a drain's context."""

    def drain(self, *, at_most: int = 100) -> int:
        """Work off what is due, answering here."""
        return webhooks.drain(self, self, at_most=at_most)


@contextmanager
def public_names(*addresses: str) -> Iterator[None]:
    """Let every name lead to these addresses, a public one by default."""
    webhooks.use(
        receiver="http://127.0.0.1:8000",
        resolve=lambda _host, _port: list(addresses or (PUBLIC,)),
    )
    try:
        yield
    finally:
        webhooks.use(receiver="http://127.0.0.1:8000")


def an_endpoint(
    merchant_id: str,
    *events: str,
    url: str = URL,
    secret: str | None = None,
    livemode: bool = False,
    is_built_in: bool = False,
) -> Endpoint:
    """Add an endpoint that chose these events, all of them by default."""
    new = NewEndpoint(url, events or ("*",), secret=secret, is_built_in=is_built_in)
    scope = db.Scope(merchant_id=merchant_id, livemode=livemode)
    with public_names(), db.scoped(scope):
        endpoint, _secret = webhooks.create_endpoint(merchant_id, new, livemode=livemode, by=BY)
    return endpoint


def tell() -> int:
    """Do the relay's part: tell the room every fact that it is due; returns how many."""
    with db.transaction(db.WORKER):
        facts = outbox.take_due(WEBHOOKS)
        webhooks.fan_out(facts)
        outbox.told(WEBHOOKS, facts)
        return len(facts)


def quick(*endpoints: Endpoint) -> None:
    """Let endpoints have shown that they answer quickly."""
    with db.transaction(db.WORKER) as session:
        for one in endpoints:
            session.execute(
                text(
                    "INSERT INTO webhook_health (endpoint_id, merchant_id, livemode, failures,"
                    " is_slow, quick, changed_at)"
                    " VALUES (:id, :merchant, :livemode, 0, false, 10, clock_now())"
                ),
                {"id": one.id, "merchant": one.merchant_id, "livemode": one.livemode},
            )


def later(seconds: float) -> None:
    """Let time pass for everything that waits: due times, leases, rests and failures."""
    past = {"by": seconds}
    with db.transaction(db.WORKER) as session:
        session.execute(
            text(
                "UPDATE delivery SET due_at = due_at - make_interval(secs => :by),"
                " lease_until = lease_until - make_interval(secs => :by) WHERE state = 'due'"
            ),
            past,
        )
        session.execute(
            text(
                "UPDATE webhook_health SET open_until = open_until - make_interval(secs => :by),"
                " failing_since = failing_since - make_interval(secs => :by),"
                " failed_at = failed_at - make_interval(secs => :by)"
            ),
            past,
        )


def query(sql: str, **params: object) -> list[tuple[object, ...]]:
    """Return rows as the worker sees them."""
    with db.scoped(db.WORKER):
        return [tuple(row) for row in db.session.execute(text(sql), params)]


def states() -> list[tuple[object, ...]]:
    """Return every delivery's event, status and tries, in the order of making."""
    return query(
        "SELECT e.name, d.state, d.tries FROM delivery d"
        " JOIN webhook_event e ON e.id = d.event_id ORDER BY d.id"
    )


def ordered(shop: str, times: int = 1) -> None:
    """Have that many events on their way."""
    for _ in range(times):
        an_order(shop)
    tell()


def given_up(server: Server) -> float:
    """Try one delivery as often as it is tried; returns how long it waited in all, in seconds."""
    waited = 0.0
    for _ in range(policy.TRIES):
        assert server.drain() == 1, "each try in its turn"
        assert server.drain() == 0, "none before its time"
        wait = query(
            "SELECT extract(epoch FROM max(due_at) - clock_now())::float FROM delivery"
            " WHERE state = 'due'"
        )[0][0]
        waited += float(wait or 0)  # type: ignore[arg-type]
        later(float(wait or 0) + policy.LONGEST_REST + 1)  # type: ignore[arg-type]
    return waited
