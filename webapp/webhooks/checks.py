"""What must be true of webhooks, each with the query that finds where it is not."""

from __future__ import annotations

from typing import Final

from webapp.kernel.proof import Check
from webapp.webhooks.catalogue import EVENTS
from webapp.webhooks.policy import LEASE

_TOLD = ", ".join(f"'{name}'" for name in sorted(EVENTS))
#: An endpoint that changed while a fact was told may or may not be sent it.
_BLINK = "interval '15 seconds'"

CHECKS: Final[tuple[Check, ...]] = (
    Check(
        "event_for_every_fact",
        holds="Every fact that merchants are told of has become an event, or waits to.",
        broken="a fact became no event",
        sql=f"""
        SELECT fact.id, fact.name FROM fact
        WHERE fact.id >= :fact AND fact.id > (SELECT min(fact_id) FROM webhook_event)
          AND fact.merchant_id IS NOT NULL AND fact.name IN ({_TOLD})
          AND NOT EXISTS (SELECT FROM webhook_event WHERE fact_id = fact.id)
          AND NOT EXISTS (SELECT FROM outbox_due
                          WHERE fact_id = fact.id AND consumer = 'webhooks')
          AND fact.at >= (SELECT at FROM webhook_event WHERE fact_id =
                          (SELECT min(fact_id) FROM webhook_event))""",  # noqa: S608
    ),
    Check(
        "delivery_for_every_listener",
        holds="Every event is on its way to, or has reached, each endpoint that chose it.",
        broken="an event is on no way to an endpoint that chose it",
        sql=f"""
        SELECT e.id, format('%s is not sent to %s', e.name, we.id)
        FROM webhook_event AS e JOIN webhook_endpoint AS we
          ON (we.merchant_id, we.livemode) = (e.merchant_id, e.livemode)
        WHERE e.id >= :evt AND NOT e.is_test AND we.status IN ('enabled', 'paused')
          AND (we.events ? e.name OR we.events ? '*')
          AND we.listens_since < e.at - {_BLINK}
          AND NOT EXISTS (SELECT FROM delivery WHERE event_id = e.id AND endpoint_id = we.id)""",  # noqa: S608
    ),
    Check(
        "deliveries_stay_home",
        holds="Nothing is sent to another merchant’s endpoint, or to one of the other mode.",
        broken="an event was sent to somebody else’s endpoint",
        sql="""
        SELECT d.id, format('%s goes to %s', d.event_id, d.endpoint_id)
        FROM delivery AS d JOIN webhook_event AS e ON e.id = d.event_id
        JOIN webhook_endpoint AS we ON we.id = d.endpoint_id
        JOIN webhook_body AS b ON b.event_id = d.event_id AND b.api_version = d.api_version
        WHERE d.id >= :whd AND NOT ((d.merchant_id, d.livemode) = (e.merchant_id, e.livemode)
          AND (d.merchant_id, d.livemode) = (we.merchant_id, we.livemode)
          AND b.body::jsonb ->> 'id' = e.id AND b.body::jsonb ->> 'type' = e.name)""",
    ),
    Check(
        "tries_are_counted",
        holds="A delivery has been tried as often as there are tries written down, in time.",
        broken="a delivery’s tries are miscounted",
        sql="""
        SELECT d.id, format('counts %s, has %s', d.tries, count(a.id))
        FROM delivery AS d
        LEFT JOIN delivery_attempt AS a ON a.delivery_id = d.id AND NOT a.is_late
        WHERE d.id >= :whd GROUP BY d.id HAVING d.tries <> count(a.id)""",
    ),
    Check(
        "arrived_means_answered",
        holds="What counts as delivered was answered with success, and nothing else was.",
        broken="a delivery’s state is not what was answered",
        sql="""
        SELECT d.id, format('is %s with %s answers of success', d.state, count(a.id))
        FROM delivery AS d LEFT JOIN delivery_attempt AS a
          ON a.delivery_id = d.id AND NOT a.is_late AND a.status BETWEEN 200 AND 299
        WHERE d.id >= :whd GROUP BY d.id
        HAVING (d.state = 'delivered') <> (count(a.id) = 1)""",
    ),
    Check(
        "dead_was_tried_out",
        holds="A delivery gives up after its last try, or after it ended its sender three times.",
        broken="a delivery gave up too early",
        sql="""
        SELECT id, format('after %s tries: %s', tries, last_error) FROM delivery
        WHERE id >= :whd AND state IN ('dead', 'resent') AND tries < 11
          AND last_error IS DISTINCT FROM 'ended its sender each time'""",
    ),
    Check(
        "nobody_keeps_a_delivery",
        holds="No delivery is held by a sender for longer than its lease.",
        broken="a delivery is held by nobody",
        sql=f"""
        SELECT d.id, format('claimed until %s', d.lease_until) FROM delivery AS d
        JOIN webhook_endpoint AS e ON e.id = d.endpoint_id AND e.status = 'enabled'
        LEFT JOIN webhook_health AS h ON h.endpoint_id = e.id
        WHERE d.lease_until < clock_now() - interval '{10 * int(LEASE.total_seconds())} seconds'
          AND (h.failures IS NULL OR h.failures = 0)""",  # noqa: S608
    ),
)
