"""What is true in the end: our tables and the provider's own books, read past every portal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.rows import dict_row

Row = Mapping[str, Any]

#: How the provider names what the demo's story says it was charged in the past.
_OF_THE_DEMO = "pi_demo_"

_ORDERS = """
    SELECT o.id, o.status, o.description, o.amount_minor, o.kind
    FROM shop_order o WHERE o.created_at >= %(since)s"""
_SESSIONS = """
    SELECT s.token_hash, s.order_id, s.status
    FROM checkout_session s WHERE s.opened_at >= %(since)s"""
_PAYMENTS = """
    SELECT p.id, p.order_id, p.status, p.method_kind, p.amount_minor, p.captured_minor,
           p.provider_intent_id, p.attempt_count, p.version
    FROM payment p WHERE p.created_at >= %(since)s"""
_ANOMALIES = "SELECT payment_id, kind, amount_minor FROM anomaly WHERE opened_at >= %(since)s"
_REFUNDS = """
    SELECT id, payment_id, status, destination, amount_minor, note
    FROM refund WHERE created_at >= %(since)s"""
#: What must not be left over once all is well again, by what it is.
UNFINISHED = {
    "operations under way": """
        SELECT count(*) FROM provider_operation
        WHERE state IN ('pending', 'in_flight', 'unknown')""",
    "operations that wait for a person": """
        SELECT count(*) FROM provider_operation WHERE state = 'manual'""",
    "provider events not applied": """
        SELECT count(*) FROM provider_event WHERE processed_at IS NULL""",
    "facts not told": "SELECT count(*) FROM outbox_due",
    "mails not sent": "SELECT count(*) FROM mail WHERE status = 'waiting'",
    "payments being confirmed": """
        SELECT count(*) FROM payment WHERE status = 'processing'""",
    "payments past their deadline": """
        SELECT count(*) FROM payment
        WHERE finished_at IS NULL AND deadline_at < clock_now() - interval '30 seconds'""",
    "refunds under way": """
        SELECT count(*) FROM refund WHERE status IN ('approved', 'unsent', 'sent')""",
    "money set aside and on its way": """
        SELECT count(*) FROM anomaly WHERE status IN ('refunding', 'applying')""",
}
#: What must not be found at any time: each query returns in words what is wrong.
BROKEN = {
    "versions, moves and facts of a payment do not agree": """
        SELECT format('%s: version %s, moves %s, facts %s', p.id, p.version, m.n, f.n)
        FROM payment p
        CROSS JOIN LATERAL (SELECT count(*) AS n, max(version) AS last FROM move
                            WHERE subject_id = p.id) m
        CROSS JOIN LATERAL (SELECT count(*) AS n, max(version) AS last FROM fact
                            WHERE subject_id = p.id) f
        WHERE p.created_at > clock_now() - interval '3 hours'
          AND (m.n <> p.version OR f.n <> p.version OR m.last <> p.version)""",
    "an order was paid twice": """
        SELECT order_id FROM payment WHERE status = 'captured'
        GROUP BY order_id HAVING count(*) > 1""",
    "a captured payment has no transfer, or two": """
        SELECT p.id FROM payment p LEFT JOIN transfer t
          ON t.reference = 'payment.captured:' || p.id
        WHERE p.captured_minor > 0 GROUP BY p.id HAVING count(t.id) <> 1""",
}


@dataclass(frozen=True, slots=True)
class Books:
    """The final state: ours since the run began, and the provider's."""

    orders: Sequence[Row] = ()
    sessions: Sequence[Row] = ()
    payments: Sequence[Row] = ()
    anomalies: Sequence[Row] = ()
    refunds: Sequence[Row] = ()
    provider: Sequence[Row] = ()
    unfinished: Mapping[str, int] = field(default_factory=dict)
    broken: Mapping[str, Sequence[str]] = field(default_factory=dict)


def collect(
    connection: psycopg.Connection[Any], provider: Sequence[Row], *, since: object
) -> Books:
    """Read everything that was made at or after `since`."""
    asked = {"since": since}
    with connection.cursor(row_factory=dict_row) as cursor:

        def rows(statement: str) -> list[dict[str, Any]]:
            return cursor.execute(statement, asked).fetchall()

        return Books(
            orders=rows(_ORDERS),
            sessions=rows(_SESSIONS),
            payments=rows(_PAYMENTS),
            anomalies=rows(_ANOMALIES),
            refunds=rows(_REFUNDS),
            provider=[row for row in provider if not row["id"].startswith(_OF_THE_DEMO)],
            unfinished=unfinished(connection),
            broken=broken(connection),
        )


def unfinished(connection: psycopg.Connection[Any]) -> dict[str, int]:
    """Count what is still under way, by what it is; nothing that is finished is named."""
    found = {what: _number(connection, statement) for what, statement in UNFINISHED.items()}
    return {what: number for what, number in found.items() if number}


def broken(connection: psycopg.Connection[Any]) -> dict[str, list[str]]:
    """Return what contradicts itself, by rule; no rule that holds is named."""
    found = {
        rule: [str(row[0]) for row in connection.execute(statement).fetchall()]
        for rule, statement in BROKEN.items()
    }
    return {rule: words for rule, words in found.items() if words}


def _number(connection: psycopg.Connection[Any], statement: str) -> int:
    row = connection.execute(statement).fetchone()
    return int(row[0]) if row else 0
