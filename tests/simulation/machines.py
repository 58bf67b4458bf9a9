"""Those inside: workers, the relay, the sweeper, and the door for the provider's messages."""

from __future__ import annotations

import datetime as dt

from jobs import queues, schedule
from jobs.telling import tell
from tests.simulation import merchants
from tests.simulation.provider import SIGNED, Message
from tests.simulation.stage import Stage
from tests.simulation.wire import BOARD
from webapp import corrections, gateway, payments, refunds, webhooks

FACTS = "facts"


def take_wake(stage: Stage) -> bool:
    """Let a worker or the relay hear the next wake-up; returns False when there is none."""
    kind = stage.valkey.next_wake()
    if kind is None:
        return False
    if kind == webhooks.WAKE and stage.shops.by_url:
        merchants.sender(stage)
        return True
    if kind not in queues.KINDS and (kind != FACTS or stage.world.chance.random() < 0.6):
        return take_wake(stage)
    if kind == FACTS:
        relay(stage, stage.world.chance.choice(list(stage.ear.heard)))
    else:
        drain(stage, kind)
    return True


def drain(stage: Stage, kind: str) -> None:
    """A worker drains one kind of work."""
    stage.job(f"drain {kind}", queues.KINDS[kind].drain)


def relay(stage: Stage, consumer: str) -> None:
    """The relay tells one consumer its facts."""
    tell_it = stage.ear.consumers()[consumer]
    stage.job(f"tell {consumer}", lambda: tell(consumer, tell_it, at_most=20))


def sweep(stage: Stage) -> None:
    """The sweeper looks for work that nobody was woken for, and does it itself."""
    kinds = [kind for kind, at in pending(stage) if at <= stage.world.now and kind in queues.KINDS]
    if kinds:
        drain(stage, stage.world.chance.choice(kinds))


def chore(stage: Stage) -> None:
    """The sweeper or the relay does one of its chores."""
    one = stage.world.chance.choice(often())
    stage.job(f"chore {one.name}", one.do)


def often() -> list[schedule.Chore]:
    """Return the chores that are done all the time."""
    return [one for one in (*schedule.SWEEPER, *schedule.RELAY) if one.every_seconds < 60]


def deliver(stage: Stage) -> bool:
    """Bring one of the provider's messages to our door; returns False when none is under way."""
    due = [one for one in stage.provider.messages if one.due_at <= stage.world.now]
    if not due:
        return False
    message = stage.world.chance.choice(due)

    def act() -> None:
        gateway.inbox.receive(message.body, SIGNED)
        stage.accepted.append(message.body)
        taken(stage, message)

    stage.request("webhook", act)
    return True


def taken(stage: Stage, message: Message) -> None:
    """Our door has answered 200: the provider sends it no more, unless it doubles it."""
    message.left -= 1
    if message.left <= 0 and message in stage.provider.messages:
        stage.provider.messages.remove(message)


#: Which chore brings each kind of waiting thing on.
CHORES = {
    "look": payments.look_again,
    "expire": payments.expire_due,
    "release": refunds.release_due,
    "look at refunds": refunds.look_again,
    "lapse": corrections.lapse_due,
}
_PENDING = """
SELECT 'operations', min(due_at) FROM provider_operation
 WHERE id >= %(op)s AND state IN ('pending', 'in_flight', 'unknown')
   AND (kind <> 'refund' OR first_sent_at IS NOT NULL
     OR EXISTS (SELECT 1 FROM refund_freeze WHERE frozen_at IS NULL))
UNION ALL SELECT 'inbox', min(due_at) FROM provider_event
 WHERE due_at IS NOT NULL AND received_at >= %(born)s
UNION ALL (SELECT 'tell ' || consumer, min(due_at) FROM outbox_due
 WHERE fact_id >= %(fact)s AND due_at < '9999-01-01' GROUP BY consumer)
UNION ALL SELECT 'look', min(p.check_at) FROM payment p
 WHERE p.id >= %(pay)s AND p.check_at IS NOT NULL AND NOT EXISTS (SELECT 1
   FROM provider_operation o WHERE o.subject_id = p.id AND o.state = 'manual')
UNION ALL SELECT 'expire', min(c.expires_at) FROM checkout_session c
 WHERE c.status = 'open' AND c.id >= %(chk)s AND NOT EXISTS (SELECT 1 FROM payment p
   WHERE p.order_id = c.order_id
     AND p.status IN ('processing', 'requires_action', 'authorised'))
UNION ALL SELECT 'release', min(leaves_at) FROM refund WHERE id >= %(re)s AND status = 'approved'
UNION ALL SELECT 'look at refunds', min(r.check_at) FROM refund r
 WHERE r.id >= %(re)s AND r.check_at IS NOT NULL AND NOT EXISTS (SELECT 1
   FROM provider_operation o WHERE o.subject_id = r.id AND o.state = 'manual')
UNION ALL (SELECT 'send webhooks', greatest(min(d.due_at), max(d.lease_until), max(h.open_until))
  FROM delivery d JOIN webhook_endpoint e ON e.id = d.endpoint_id AND e.status = 'enabled'
  LEFT JOIN webhook_health h ON h.endpoint_id = e.id WHERE d.id >= %(whd)s AND d.state = 'due'
 GROUP BY d.endpoint_id)
UNION ALL SELECT 'lapse', min(deadline_at) FROM correction
 WHERE id >= %(cor)s AND status = 'requested'
"""


def pending(stage: Stage) -> list[tuple[str, dt.datetime]]:
    """Return what waits in our database, by kind, with the moment at which it is due."""
    rows = BOARD.ask(
        _PENDING,
        {  # type: ignore[arg-type]
            "op": stage.lowest("operation"),
            "fact": stage.lowest("fact"),
            "pay": stage.lowest("payment"),
            "chk": stage.lowest("checkout_session"),
            "re": stage.lowest("refund"),
            "cor": stage.lowest("correction"),
            "whd": stage.lowest("delivery"),
            "born": stage.since,
        },
    )
    return sorted((kind, at) for kind, at in rows if at is not None)


def waiting_for_person(stage: Stage) -> list[tuple[str, str, str]]:
    """Return what of this schedule was set aside for a person: its kind, its id, and why."""
    rows = BOARD.ask(
        "SELECT 'operation', id, last_error FROM provider_operation"
        " WHERE id >= %s AND state = 'manual'"
        " UNION ALL SELECT 'event', event_id, error FROM provider_event WHERE received_at >= %s"
        " AND processed_at IS NULL AND due_at IS NULL"
        " UNION ALL SELECT 'delivery', id, last_error FROM delivery WHERE id >= %s"
        " AND state = 'dead' ORDER BY 1, 2",
        (stage.lowest("operation"), stage.since, stage.lowest("delivery")),
    )
    return [(row[0], row[1], row[2] or "") for row in rows]


def lay_to_rest(stage: Stage) -> None:
    """Take what waits for a person for ever out of the way of the schedules that follow."""
    for statement, kind in (
        ("UPDATE payment SET check_at = NULL WHERE id >= %s AND check_at IS NOT NULL", "payment"),
        ("UPDATE refund SET check_at = NULL WHERE id >= %s AND check_at IS NOT NULL", "refund"),
        (
            "UPDATE checkout_session SET expires_at='infinity' WHERE id >= %s AND status = 'open'",
            "checkout_session",
        ),
    ):
        BOARD.ask(statement, (stage.lowest(kind),))
    BOARD.ask("DELETE FROM mail WHERE id >= %s", (stage.lowest("mail"),))
