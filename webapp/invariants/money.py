"""What must be true of payments, refunds and money set aside, and between them and the books."""

from __future__ import annotations

from typing import Final

from webapp.kernel.proof import Check

#: Payments that moved since the bound, and orders that did.
_PAYMENTS = "SELECT subject_id FROM move WHERE noun = 'payment' AND id >= :mov"
_REFUNDS = "SELECT subject_id FROM move WHERE noun = 'refund' AND id >= :mov"
_ORDERS = "SELECT subject_id FROM move WHERE noun = 'order' AND id >= :mov"
#: What accounts of a kind hold: their checkpoint and the entries after it.
_HELD = """
  SELECT a.livemode, a.currency, sum(coalesce(c.amount_minor, 0) + coalesce((
      SELECT sum(e.amount_minor) FROM entry e
       WHERE e.account_id = a.id AND e.xid >= coalesce(c.horizon, '0')), 0)) AS held
    FROM ledger_account a LEFT JOIN balance_checkpoint c ON c.account_id = a.id
"""

PAYMENTS: Final[tuple[Check, ...]] = (
    Check(
        "captured_within_authorised",
        holds="No payment took more than was authorised, or was authorised for more than its sum.",
        broken="a payment took more than was authorised",
        sql=f"""
        SELECT id, format('captured %s of %s authorised, for %s',
                          captured_minor, authorised_minor, amount_minor)
        FROM payment WHERE id IN ({_PAYMENTS})
          AND (captured_minor > authorised_minor OR authorised_minor > amount_minor
               OR (status = 'captured') <> (captured_minor > 0))""",  # noqa: S608 - constants
    ),
    Check(
        "payment_is_booked",
        holds="Every captured payment stands in the books once, with its sum and its fee.",
        broken="a captured payment is not booked as it was taken",
        sql=f"""
        SELECT p.id, format('captured %s with fee %s, booked %s and %s', p.captured_minor,
                            p.fee_minor, coalesce(booked.taken, 0), booked.fees)
        FROM payment p LEFT JOIN transfer t ON t.reference = 'payment.captured:' || p.id
        LEFT JOIN LATERAL (
          SELECT -sum(amount_minor) FILTER (
                   WHERE amount_minor < 0 AND account_kind <> 'payable') AS taken,
                 coalesce(sum(amount_minor) FILTER (WHERE account_kind = 'fees'), 0) AS fees
            FROM entry WHERE transfer_id = t.id) AS booked ON true
        WHERE p.status = 'captured' AND p.id IN ({_PAYMENTS})
          AND (booked.taken, booked.fees, t.merchant_id, t.livemode) IS DISTINCT FROM
              (p.captured_minor, p.fee_minor, p.merchant_id, p.livemode)""",  # noqa: S608
    ),
    Check(
        "booking_has_its_payment",
        holds="Every capture in the books belongs to a payment that was captured.",
        broken="a capture in the books has no captured payment",
        sql="""
        SELECT t.id, t.reference
        FROM transfer t LEFT JOIN payment p ON p.id = split_part(t.reference, ':', 2)
        WHERE t.id >= :tr AND t.reference LIKE 'payment.captured:%'
          AND p.status IS DISTINCT FROM 'captured'""",
    ),
    Check(
        "charged_once",
        holds="No payment was charged twice, and no order was paid twice.",
        broken="somebody was charged twice",
        sql=f"""
        SELECT payment_id, format('%s tries took money', count(*)) FROM attempt
        WHERE status = 'succeeded' AND payment_id IN ({_PAYMENTS})
        GROUP BY payment_id HAVING count(*) > 1
        UNION ALL
        SELECT order_id, format('was paid %s times', count(*)) FROM payment
        WHERE status = 'captured'
          AND order_id IN (SELECT order_id FROM payment WHERE id IN ({_PAYMENTS}))
        GROUP BY order_id HAVING count(*) > 1""",  # noqa: S608
    ),
    Check(
        "order_is_paid_by_its_payment",
        holds="An order counts as paid exactly when a payment of it was captured.",
        broken="an order and its payments disagree",
        sql=f"""
        SELECT o.id, format('is %s with %s captured payments', o.status, taken.count)
        FROM shop_order o CROSS JOIN LATERAL (
          SELECT count(*) FROM payment WHERE order_id = o.id AND status = 'captured') AS taken
        WHERE o.id IN ({_ORDERS} UNION SELECT order_id FROM payment WHERE id IN ({_PAYMENTS}))
          AND (o.status = 'completed') <> (taken.count > 0)""",  # noqa: S608
    ),
)

REFUNDS: Final[tuple[Check, ...]] = (
    Check(
        "refunds_within_captured",
        holds="Refunds, done and under way, never exceed what was captured.",
        broken="more was refunded than was captured",
        sql=f"""
        SELECT p.id, format('refunds take %s and gave %s, counted %s and %s, of %s captured',
                            r.reserved, r.refunded, p.refund_reserved_minor, p.refunded_minor,
                            p.captured_minor)
        FROM payment p CROSS JOIN LATERAL (
          SELECT coalesce(sum(amount_minor) FILTER (
                   WHERE status NOT IN ('failed', 'cancelled')), 0) AS reserved,
                 coalesce(sum(amount_minor) FILTER (WHERE status = 'succeeded'), 0) AS refunded
            FROM refund WHERE payment_id = p.id AND anomaly_id IS NULL) AS r
        WHERE p.id IN ({_PAYMENTS} UNION SELECT payment_id FROM refund WHERE id IN ({_REFUNDS}))
          AND ((r.reserved, r.refunded) <> (p.refund_reserved_minor, p.refunded_minor)
               OR r.reserved > p.captured_minor)""",  # noqa: S608
    ),
    Check(
        "refund_is_booked",
        holds="Every refund that left stands in the books, and no other does.",
        broken="a refund is not booked as it went",
        sql=f"""
        SELECT r.id, format('is %s of %s, took %s from where it was, %s under way',
                            r.status, r.amount_minor, booked.took, booked.under_way)
        FROM refund r CROSS JOIN LATERAL (
          SELECT coalesce(-sum(e.amount_minor) FILTER (
                   WHERE e.account_kind IN ('payable', 'suspense')), 0) AS took,
                 coalesce(sum(e.amount_minor) FILTER (
                   WHERE e.account_kind = 'refunds_in_transit'), 0) AS under_way
            FROM transfer t JOIN entry e ON e.transfer_id = t.id
           WHERE split_part(t.reference, ':', 2) = r.id) AS booked
        WHERE r.id IN ({_REFUNDS}) AND (booked.took, booked.under_way) <> (
          CASE WHEN r.status IN ('unsent', 'sent', 'succeeded') THEN r.amount_minor ELSE 0 END,
          CASE WHEN r.status IN ('unsent', 'sent') THEN r.amount_minor ELSE 0 END)""",  # noqa: S608
    ),
    Check(
        "refund_is_sent_once",
        holds="No refund was sent to the provider twice.",
        broken="a refund was sent to the provider twice",
        sql="""
        SELECT subject_id, format('%s calls', count(*)) FROM provider_operation
        WHERE kind = 'refund' AND state <> 'failed'
          AND subject_id IN (SELECT subject_id FROM provider_operation
                              WHERE kind = 'refund' AND id >= :op)
        GROUP BY subject_id HAVING count(*) > 1""",
    ),
    Check(
        "money_under_way_is_known",
        holds="What is on its way back to shoppers is the sum of the refunds that were sent.",
        broken="money on its way back and the refunds that were sent differ",
        sql=f"""
        SELECT coalesce(booked.currency, sent.currency),
               format('%s under way, refunds %s', coalesce(held, 0), coalesce(due, 0))
        FROM ({_HELD} WHERE a.kind = 'refunds_in_transit' GROUP BY 1, 2) AS booked
        FULL JOIN (SELECT livemode, currency, sum(amount_minor) AS due FROM refund
                    WHERE status IN ('unsent', 'sent') GROUP BY 1, 2) AS sent
          USING (livemode, currency)
        WHERE coalesce(held, 0) <> coalesce(due, 0)""",  # noqa: S608
    ),
    Check(
        "suspense_is_explained",
        holds="Every amount in suspense has somebody who must decide on it, and the other way.",
        broken="money in suspense and what waits for a decision differ",
        sql=f"""
        SELECT coalesce(booked.currency, waits.currency),
               format('%s in suspense, %s waits for a decision', coalesce(held, 0),
                      coalesce(due, 0))
        FROM ({_HELD} WHERE a.kind = 'suspense' GROUP BY 1, 2) AS booked
        FULL JOIN (SELECT livemode, currency, sum(amount_minor) AS due FROM anomaly
                    WHERE closed_at IS NULL AND NOT EXISTS (
                      SELECT 1 FROM refund WHERE anomaly_id = anomaly.id
                         AND status IN ('unsent', 'sent', 'succeeded'))
                    GROUP BY 1, 2) AS waits
          USING (livemode, currency)
        WHERE coalesce(held, 0) <> coalesce(due, 0)""",  # noqa: S608
    ),
    Check(
        "credit_is_spent",
        holds="Credit that moves from one order to another is spent at once.",
        broken="credit was given and not spent",
        sql=f"""
        SELECT booked.currency, format('%s left', held)
        FROM ({_HELD} WHERE a.kind = 'store_credit' GROUP BY 1, 2) AS booked
        WHERE held <> 0""",  # noqa: S608
    ),
)

CORRECTIONS: Final[tuple[Check, ...]] = (
    Check(
        "correction_has_two_signatures",
        holds="Every correction in the books was asked for by one admin and approved by another.",
        broken="a correction lacks a second signature",
        sql="""
        SELECT t.id, t.reference
        FROM transfer t LEFT JOIN correction c ON t.reference = 'correction:' || c.id
        WHERE t.id >= :tr AND (t.corrects IS NOT NULL OR t.reference LIKE 'correction:%')
          AND (c.status IS DISTINCT FROM 'posted' OR c.approved_by IS NULL
               OR c.approved_by = c.requested_by OR t.corrects IS DISTINCT FROM c.transfer_id)
        UNION ALL
        SELECT c.id, 'was approved and is not booked'
        FROM correction c LEFT JOIN transfer t ON t.reference = 'correction:' || c.id
        WHERE c.id IN (SELECT subject_id FROM move WHERE noun = 'correction' AND id >= :mov)
          AND c.status = 'posted' AND t.id IS NULL""",
    ),
)

WALLETS: Final[tuple[Check, ...]] = (
    Check(
        "sending_is_booked",
        holds="All money that people send each other stands in the books once, as it was sent.",
        broken="money that was sent is not booked as it was sent",
        sql="""
        SELECT w.id, format('sent %s, booked %s out and %s in', w.amount_minor,
                            booked.out_of, booked.into)
        FROM wallet_transfer w LEFT JOIN transfer t ON t.reference = 'wallet.transferred:' || w.id
        LEFT JOIN LATERAL (
          SELECT -sum(amount_minor) FILTER (
                   WHERE user_id = w.user_id AND currency = w.currency) AS out_of,
                 sum(amount_minor) FILTER (
                   WHERE user_id = w.recipient_id AND currency = w.currency) AS into
            FROM entry WHERE transfer_id = t.id) AS booked ON true
        WHERE w.id >= :wtr AND (booked.out_of, booked.into, t.livemode) IS DISTINCT FROM
              (w.amount_minor, w.amount_minor, w.livemode)
        UNION ALL
        SELECT t.id, t.reference
        FROM transfer t LEFT JOIN wallet_transfer w ON w.id = split_part(t.reference, ':', 2)
        WHERE t.id >= :tr AND t.reference LIKE 'wallet.transferred:%' AND w.id IS NULL""",
    ),
    Check(
        "money_is_in_a_wallet",
        holds="Nobody has money in a wallet that was never opened.",
        broken="there is money in a wallet that was never opened",
        sql="""
        SELECT a.user_id, format('%s of %s', b.amount_minor, a.currency)
        FROM ledger_account a JOIN balance b ON b.account_id = a.id
        WHERE a.kind = 'wallet' AND b.amount_minor > 0 AND a.user_id IN (
            SELECT e.user_id FROM entry e WHERE e.transfer_id >= :tr AND e.user_id IS NOT NULL)
          AND NOT EXISTS (SELECT 1 FROM wallet w WHERE w.user_id = a.user_id
                AND w.livemode = a.livemode AND w.currency = a.currency)
          AND NOT EXISTS (SELECT 1 FROM outbox_due WHERE consumer = 'purse')""",
    ),
)
