"""The rollup proves itself against the facts it was folded from and the ledger it never reads."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text

from webapp.analytics.service import OUTCOMES, RETURNED, TAKEN_BACK
from webapp.kernel import db

#: The name under which the relay tells facts to `fold`.
CONSUMER = "rollup"

_CASES = " ".join(f"WHEN '{event}' THEN '{outcome.value}'" for event, outcome in OUTCOMES.items())
_EVENTS = ", ".join(f"'{event}'" for event in (*OUTCOMES, RETURNED))
_ENDS = ", ".join(f"'{event}'" for event in TAKEN_BACK)

# built from our own table of events; facts still due to the consumer are not folded yet
_TOLD = f"""
  SELECT * FROM fact
   WHERE name IN ({_EVENTS}) AND snapshot->>'anomaly' IS NULL
     AND NOT EXISTS (SELECT 1 FROM outbox_due
                      WHERE fact_id = fact.id AND consumer = '{CONSUMER}')
"""  # noqa: S608 - see above
_FOLDED = f"""
  SELECT merchant_id, livemode, (snapshot->>'currency')::char(3) AS currency,
         date_bin('15 minutes', at, '2000-01-01 00:00:00+00') AS quarter,
         CASE name {_CASES} END AS outcome,
         coalesce(snapshot->>'method', snapshot->>'destination', 'none') AS method_kind,
         sum(sign)::bigint AS count,
         sum(sign * (snapshot->>CASE name WHEN 'payment.captured' THEN 'captured'
                                ELSE 'amount' END)::bigint)::bigint AS amount_minor,
         sum(CASE name WHEN 'payment.captured' THEN (snapshot->>'fee')::bigint
             ELSE 0 END)::bigint AS fee_minor
    FROM (SELECT 1 AS sign, told.* FROM ({_TOLD}) told WHERE name <> '{RETURNED}'
          UNION ALL
          SELECT -1, ended.* FROM ({_TOLD}) told
            JOIN fact ended ON ended.subject_kind = 'payment'
             AND ended.subject_id = told.subject_id AND ended.version = told.version - 1
             AND ended.name IN ({_ENDS})
           WHERE told.name = 'payment.captured'
          UNION ALL
          SELECT -1, went.* FROM ({_TOLD}) told
            JOIN fact went ON went.subject_kind = 'refund'
             AND went.subject_id = told.subject_id AND went.name = 'refund.succeeded'
             AND went.version < told.version
           WHERE told.name = '{RETURNED}') counted
   GROUP BY 1, 2, 3, 4, 5, 6
"""  # noqa: S608 - see above

_REBUILD = text(f"INSERT INTO rollup_quarter {_FOLDED} ORDER BY 1, 2, 3, 4, 5, 6")
_AGAINST_FACTS = text(
    f"""
    SELECT coalesce(r.merchant_id, f.merchant_id), coalesce(r.livemode, f.livemode),
           coalesce(r.currency, f.currency), coalesce(r.quarter, f.quarter)::text || ' '
             || coalesce(r.outcome, f.outcome) || ' ' || coalesce(r.method_kind, f.method_kind),
           row(r.count, r.amount_minor, r.fee_minor)::text,
           row(f.count, f.amount_minor, f.fee_minor)::text
      FROM rollup_quarter r FULL JOIN ({_FOLDED}) f
        USING (merchant_id, livemode, currency, quarter, outcome, method_kind)
     WHERE (r.count, r.amount_minor, r.fee_minor) IS DISTINCT FROM
           (f.count, f.amount_minor, f.fee_minor)
     ORDER BY 1, 2, 3, 4
    """  # noqa: S608 - see above
)

# what the ledger took for each captured payment, and kept of it, against the rollup plus what is
# still to be told: a capture's sources are clearing or a wallet, its fee goes to fees
_AGAINST_LEDGER = text(
    f"""
    WITH booked AS (
      SELECT t.merchant_id, t.livemode, e.currency,
             -sum(e.amount_minor) FILTER (
               WHERE e.amount_minor < 0 AND e.account_kind <> 'payable') AS taken,
             coalesce(sum(e.amount_minor) FILTER (WHERE e.account_kind = 'fees'), 0) AS fees
        FROM transfer t JOIN entry e ON e.transfer_id = t.id
       WHERE t.reference LIKE 'payment.captured:%'
       GROUP BY 1, 2, 3
    ), counted AS (
      SELECT merchant_id, livemode, currency, sum(taken) AS taken, sum(fees) AS fees
        FROM (SELECT merchant_id, livemode, currency, amount_minor AS taken, fee_minor AS fees
                FROM rollup_quarter WHERE outcome = 'captured'
              UNION ALL
              SELECT f.merchant_id, f.livemode, (f.snapshot->>'currency')::char(3),
                     (f.snapshot->>'captured')::bigint, (f.snapshot->>'fee')::bigint
                FROM outbox_due d JOIN fact f ON f.id = d.fact_id
               WHERE d.consumer = '{CONSUMER}' AND f.name = 'payment.captured') told
       GROUP BY 1, 2, 3
    )
    SELECT merchant_id, livemode, currency, 'captured and fees',
           row(c.taken, c.fees)::text, row(b.taken, b.fees)::text
      FROM counted c FULL JOIN booked b USING (merchant_id, livemode, currency)
     WHERE (c.taken, c.fees) IS DISTINCT FROM (b.taken, b.fees)
     ORDER BY 1, 2, 3
    """  # noqa: S608 - see above
)

# what left a merchant's balance for refunds and has arrived: paid out by the provider and not
# returned, or at once where it went into a wallet or paid an order; against the rollup and what is
# still to be told
_REFUNDS_AGAINST_LEDGER = text(
    f"""
    WITH booked AS (
      SELECT t.merchant_id, t.livemode, e.currency, -sum(e.amount_minor) AS back
        FROM transfer t JOIN entry e ON e.transfer_id = t.id AND e.account_kind = 'payable'
       WHERE t.reference LIKE 'refund.sent:%'
         AND NOT EXISTS (SELECT 1 FROM transfer
           WHERE reference = 'refund.failed:' || substr(t.reference, length('refund.sent:') + 1))
         AND (EXISTS (SELECT 1 FROM transfer
             WHERE reference = 'refund.settled:' || split_part(t.reference, ':', 2))
           OR EXISTS (SELECT 1 FROM entry WHERE transfer_id = t.id
             AND account_kind IN ('wallet', 'store_credit')))
       GROUP BY 1, 2, 3
    ), waiting AS (
      SELECT f.* FROM outbox_due d JOIN fact f ON f.id = d.fact_id
       WHERE d.consumer = '{CONSUMER}' AND f.snapshot->>'anomaly' IS NULL
    ), counted AS (
      SELECT merchant_id, livemode, currency, sum(back) AS back
        FROM (SELECT merchant_id, livemode, currency, amount_minor AS back
                FROM rollup_quarter WHERE outcome = 'refunded'
              UNION ALL
              SELECT merchant_id, livemode, (snapshot->>'currency')::char(3),
                     (snapshot->>'amount')::bigint
                FROM waiting WHERE name = 'refund.succeeded'
              UNION ALL
              SELECT went.merchant_id, went.livemode, (went.snapshot->>'currency')::char(3),
                     -(went.snapshot->>'amount')::bigint
                FROM waiting JOIN fact went ON went.subject_id = waiting.subject_id
                 AND went.name = 'refund.succeeded' AND went.version < waiting.version
               WHERE waiting.name = '{RETURNED}') told
       GROUP BY 1, 2, 3 HAVING sum(back) <> 0
    )
    SELECT merchant_id, livemode, currency, 'refunded', c.back::text, b.back::text
      FROM counted c FULL JOIN booked b USING (merchant_id, livemode, currency)
     WHERE c.back IS DISTINCT FROM b.back
     ORDER BY 1, 2, 3
    """  # noqa: S608 - see above
)


@dataclass(frozen=True, slots=True)
class Difference:
    """One sum that the rollup and its source disagree about; both sides as text."""

    merchant_id: str
    livemode: bool
    currency: str
    what: str
    rollup: str
    source: str


def rebuild() -> int:
    """Empty the rollup and fold every told fact again; returns the rows made. Owner's role only."""
    with db.transaction(db.OWNER) as session:
        session.execute(text("LOCK TABLE rollup_quarter IN EXCLUSIVE MODE"))
        session.execute(text("DELETE FROM rollup_quarter"))
        session.execute(_REBUILD)
        return session.scalar(text("SELECT count(*) FROM rollup_quarter")) or 0


def compare_with_facts() -> list[Difference]:
    """Return where the rollup is not the sum of the facts that were told to it, row by row."""
    return [Difference(*row) for row in db.session.execute(_AGAINST_FACTS)]


def compare_with_ledger() -> list[Difference]:
    """Return where captured or refunded money or fees differ between the rollup and the ledger.

    Per merchant, mode and currency; what is still to be told counts as told.
    """
    found = [*db.session.execute(_AGAINST_LEDGER), *db.session.execute(_REFUNDS_AGAINST_LEDGER)]
    return [Difference(*row) for row in found]
