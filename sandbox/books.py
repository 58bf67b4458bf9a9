"""The provider's own books, to hold anybody's ledger against."""

from sandbox.currencies import spoken
from sandbox.store import Json, Transaction

_TAKEN = (
    "SELECT parent, coalesce(sum(body ->> '$.amount_captured'), 0),"
    " sum(body ->> '$.status' = 'succeeded'), sum(body ->> '$.status' = 'failed')"
    " FROM objects WHERE kind = 'charge' GROUP BY parent"
)
_REFUNDED = (
    "SELECT body ->> '$.payment_intent', sum(body ->> '$.amount') FROM objects"
    " WHERE kind = 'refund' AND body ->> '$.status' IN ('succeeded', 'pending') GROUP BY 1"
)


def payment_intents(tx: Transaction, limit: int = -1) -> list[Json]:
    """Each payment intent, newest first: what was captured and refunded, in minor units."""
    taken = {row[0]: row[1:] for row in tx.db.execute(_TAKEN)}
    refunded = dict(tx.db.execute(_REFUNDED).fetchall())
    shown = []
    for intent in tx.newest("payment_intent", "1 = 1", (), limit):
        captured, good, bad = taken.get(intent.id, (0, 0, 0))
        body = intent.body
        shown.append(
            {
                "id": intent.id,
                "status": body["status"],
                "amount": body["amount"],
                "currency": body["currency"],
                "created": body["created"],
                "metadata": body["metadata"],
                "captured": captured,
                "refunded": refunded.get(intent.id, 0),
                "successful_charges": good,
                "failed_charges": bad,
                "spoken": spoken(body["amount"], body["currency"]),
            }
        )
    return shown


def deliveries(tx: Transaction, limit: int) -> list[Json]:
    """The latest webhook deliveries, newest first."""
    rows = tx.db.execute(
        "SELECT d.event_id, o.body ->> '$.type', d.state, d.tries, d.outcome FROM deliveries d"
        " JOIN objects o ON o.id = d.event_id ORDER BY d.id DESC LIMIT ?",
        (limit,),
    )
    names = ("event_id", "type", "state", "tries", "outcome")
    return [dict(zip(names, row, strict=True)) for row in rows]
