"""What happened, as events in the provider's shape, and the rows that will deliver them."""

import json
from typing import Any

from sandbox import chance
from sandbox.lists import Condition, page
from sandbox.store import Json, Record, Transaction
from sandbox.wire import Call, missing

API_VERSION = "2026-10-28.endive"
SHUFFLE_WITHIN_SECONDS = 2.0


def emit(call: Call, kind: str, body: Json) -> None:
    """Records an event holding a copy of the object as it is now, due for delivery at once."""
    tx = call.tx
    record = Record(
        {
            "id": chance.new_id("evt_"),
            "object": "event",
            "api_version": API_VERSION,
            "created": tx.now,
            "data": {"object": json.loads(json.dumps(body))},
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": call.request_id or None, "idempotency_key": call.idempotency_key},
            "type": kind,
        }
    )
    tx.insert(record)
    schedule(tx, record)


def schedule(tx: Transaction, event: Record) -> None:
    """Queues the deliveries of one event as the webhook switches ask: copies, delay, disorder."""
    weather = webhook_weather(tx)
    lost = _lose_one(tx, weather)
    for copy in range(1 + weather["duplicates"]):
        wait = weather["delay_seconds"]
        if weather["shuffle"]:
            wait += SHUFFLE_WITHIN_SECONDS * chance.drawn(weather["seed"], event.nth, copy)
        tx.db.execute(
            "INSERT INTO deliveries (event_id, due_at, state) VALUES (?, ?, ?)",
            (event.id, tx.moment + wait, "lost" if lost else "waiting"),
        )


def webhook_weather(tx: Transaction) -> dict[str, Any]:
    """How webhooks are delivered now; `lose` counts events still to be lost, -1 is all of them."""
    calm = {"duplicates": 0, "shuffle": False, "delay_seconds": 0.0, "lose": 0, "seed": "webhooks"}
    return calm | (tx.switch("webhooks") or {})


def _lose_one(tx: Transaction, weather: dict[str, Any]) -> bool:
    if weather["lose"] > 0:
        tx.set_switch("webhooks", weather | {"lose": weather["lose"] - 1})
    return bool(weather["lose"])


def retrieve(call: Call) -> Json:
    """`GET /v1/events/:id`."""
    record = call.tx.find("event", call.arguments["id"])
    if record is None:
        raise missing("event", call.arguments["id"])
    return record.body


def list_events(call: Call) -> Json:
    """`GET /v1/events`, of one type when named."""
    kind = call.params.text("type")
    wanted = Condition("body ->> '$.type' = ?", (kind,)) if kind else None
    return page(call, "event", "/v1/events", wanted)
