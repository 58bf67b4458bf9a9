"""Queries for what must not be after a schedule: never at all, or not any more once it is healed.

Each returns the rows that must not be; all are bound to the ids of one schedule.
"""

from __future__ import annotations

NEVER: dict[str, str] = {
    "a transfer does not sum to zero": """
        SELECT transfer_id FROM entry WHERE transfer_id >= %(tr)s
         GROUP BY transfer_id, currency HAVING sum(amount_minor) <> 0 OR count(*) < 2""",
    "a wallet is below zero or not the sum of its entries": """
        SELECT a.name FROM ledger_account a LEFT JOIN balance b ON b.account_id = a.id
          LEFT JOIN entry e ON e.account_id = a.id
         WHERE a.id >= %(acc)s AND a.kind = 'wallet' GROUP BY a.name, b.amount_minor
        HAVING b.amount_minor IS DISTINCT FROM coalesce(sum(e.amount_minor), 0)
            OR b.amount_minor < 0""",
    "a payment and its one posting differ": """
        SELECT p.id, p.status, count(t.id), sum(e.amount_minor)
          FROM payment p JOIN shop_order o ON o.id = p.order_id
          LEFT JOIN transfer t ON t.reference = 'payment.captured:' || p.id
          LEFT JOIN entry e ON e.transfer_id = t.id AND e.account_kind =
                    CASE o.kind WHEN 'top_up' THEN 'wallet' ELSE 'payable' END
         WHERE p.id >= %(pay)s GROUP BY p.id, p.status, p.captured_minor, p.fee_minor
        HAVING coalesce(sum(e.amount_minor), 0) <> p.captured_minor - p.fee_minor
            OR count(DISTINCT t.id) <> CASE WHEN p.captured_minor > 0 THEN 1 ELSE 0 END""",
    "a fee is not its share": """
        SELECT id, fee_minor FROM payment WHERE id >= %(pay)s AND status = 'captured'
           AND fee_minor <> 0 AND abs(fee_minor - captured_minor * fee_bps / 10000.0) > 0.5""",
    "an order is not paid by exactly one payment": """
        SELECT o.id, o.status, count(p.id) FROM shop_order o
          LEFT JOIN payment p ON p.order_id = o.id AND p.status = 'captured'
         WHERE o.id >= %(ord)s GROUP BY o.id, o.status
        HAVING count(p.id) <> CASE WHEN o.status = 'completed' THEN 1 ELSE 0 END""",
    "an ended payment still has an open charge": """
        SELECT p.id, p.status, o.id, o.kind, o.state FROM payment p
          JOIN provider_operation o ON o.subject_id = p.id
         WHERE p.id >= %(pay)s AND (o.state IN ('pending', 'in_flight', 'unknown')
                 AND o.kind IN ('confirm', 'create_session', 'create_intent', 'capture')
              OR o.state = 'manual' AND o.kind IN ('confirm', 'capture'))
           AND p.status IN ('failed', 'expired', 'awaiting_method')""",
    "an ended payment has an open try": """
        SELECT p.id, p.status, a.status FROM payment p JOIN attempt a ON a.payment_id = p.id
         WHERE p.id >= %(pay)s AND a.status IN ('processing', 'awaiting_shopper')
           AND p.status IN ('awaiting_method', 'captured', 'failed', 'cancelled', 'expired')""",
    "two tries of a payment succeeded": """
        SELECT payment_id FROM attempt WHERE payment_id >= %(pay)s AND status = 'succeeded'
         GROUP BY payment_id HAVING count(*) > 1""",
    "suspense and anomalies differ": """
        SELECT p.id FROM payment p
          LEFT JOIN transfer t ON t.reference = 'payment.suspense:' || p.id
          LEFT JOIN anomaly n ON n.payment_id = p.id
         WHERE p.id >= %(pay)s AND (t.id IS NULL) <> (n.id IS NULL)""",
    "what is refunded of a payment is not the sum of its refunds": """
        SELECT p.id, p.refund_reserved_minor, p.refunded_minor, p.captured_minor FROM payment p
          LEFT JOIN refund r ON r.payment_id = p.id AND r.anomaly_id IS NULL
         WHERE p.id >= %(pay)s
         GROUP BY p.id, p.refund_reserved_minor, p.refunded_minor, p.captured_minor
        HAVING p.refund_reserved_minor > p.captured_minor
            OR p.refund_reserved_minor <> coalesce(sum(r.amount_minor)
                 FILTER (WHERE r.status NOT IN ('failed', 'cancelled')), 0)
            OR p.refunded_minor <> coalesce(sum(r.amount_minor)
                 FILTER (WHERE r.status = 'succeeded'), 0)""",
    "a large refund was approved by nobody else": """
        SELECT id, status FROM refund WHERE id >= %(re)s AND needs_approval
           AND status NOT IN ('requested', 'cancelled')
           AND (approved_by_id IS NULL OR approved_by_id = requested_by_id)""",
    "refunds together escaped the second approver": """
        SELECT payment_id FROM refund WHERE id >= %(re)s AND anomaly_id IS NULL
           AND status NOT IN ('failed', 'cancelled')
         GROUP BY payment_id
        HAVING sum(amount_minor) > %(limit)s AND NOT bool_or(needs_approval)""",
    "a merchant is owed something else than what was sold less refunds": """
        SELECT owed.got, sold.due FROM
         (SELECT coalesce(sum(e.amount_minor), 0) AS got FROM entry e JOIN transfer t
              ON t.id = e.transfer_id
           WHERE e.merchant_id = %(merchant)s AND e.account_kind = 'payable'
             AND t.reference NOT LIKE 'correction:%%') owed,
         (SELECT (SELECT coalesce(sum(captured_minor - fee_minor), 0) FROM payment
                   WHERE merchant_id = %(merchant)s)
               - (SELECT coalesce(sum(amount_minor), 0) FROM refund
                   WHERE merchant_id = %(merchant)s AND anomaly_id IS NULL
                     AND status IN ('unsent', 'sent', 'succeeded')) AS due) sold
         WHERE owed.got <> sold.due""",
    "suspense is not what waits for a decision": """
        SELECT held.got, waits.due FROM
         (SELECT coalesce(sum(e.amount_minor), 0) AS got FROM entry e JOIN transfer t
              ON t.id = e.transfer_id
           WHERE t.id >= %(tr)s AND e.account_kind = 'suspense') held,
         (SELECT coalesce(sum(n.amount_minor), 0) AS due FROM anomaly n
           WHERE n.id >= %(ano)s AND n.status IN ('open', 'applying')) waits
         WHERE held.got <> waits.due""",
    "money in transit is not what is on its way": """
        SELECT moving.got, sent.due FROM
         (SELECT coalesce(sum(e.amount_minor), 0) AS got FROM entry e JOIN transfer t
              ON t.id = e.transfer_id
           WHERE t.id >= %(tr)s AND e.account_kind = 'refunds_in_transit') moving,
         (SELECT coalesce(sum(r.amount_minor), 0) AS due FROM refund r
           WHERE r.id >= %(re)s AND r.status IN ('unsent', 'sent')) sent
         WHERE moving.got <> sent.due""",
    "store credit is left over": """
        SELECT sum(e.amount_minor) FROM transfer t JOIN entry e ON e.transfer_id = t.id
         WHERE t.id >= %(tr)s AND e.account_kind = 'store_credit'
        HAVING sum(e.amount_minor) <> 0""",
    "a correction and its booking differ": """
        SELECT c.id, c.status, count(t.id) FROM correction c
          LEFT JOIN transfer t ON t.reference = 'correction:' || c.id
         WHERE c.id >= %(cor)s GROUP BY c.id, c.status, c.lines, c.approved_by, c.requested_by
        HAVING count(t.id) <> CASE WHEN c.status = 'posted' THEN 1 ELSE 0 END
            OR c.status = 'posted' AND (c.approved_by IS NULL OR c.approved_by = c.requested_by)
            OR c.status = 'posted' AND (SELECT sum(e.amount_minor) FROM entry e
                  JOIN transfer b ON b.id = e.transfer_id
                 WHERE b.reference = 'correction:' || c.id AND e.amount_minor > 0)
               <> (SELECT sum((line ->> 'amount')::bigint)
                     FROM jsonb_array_elements(c.lines) line)""",
    "a transfer was turned round twice": """
        SELECT reverses FROM transfer WHERE id >= %(tr)s AND reverses IS NOT NULL
         GROUP BY reverses HAVING count(*) > 1""",
    "a step has no move or no fact": """
        SELECT s.noun, s.id, s.version, count(DISTINCT m.version), count(DISTINCT f.version)
          FROM (SELECT 'payment' AS noun, id, version FROM payment WHERE id >= %(pay)s
                UNION ALL SELECT 'order', id, version FROM shop_order WHERE id >= %(ord)s
                UNION ALL SELECT 'refund', id, version FROM refund WHERE id >= %(re)s
                UNION ALL SELECT 'correction', id, version FROM correction WHERE id >= %(cor)s
                UNION ALL SELECT 'anomaly', id, version FROM anomaly WHERE id >= %(ano)s
                UNION ALL SELECT 'checkout_session', id, version FROM checkout_session
                           WHERE id >= %(chk)s) s
          LEFT JOIN move m ON m.noun = s.noun AND m.subject_id = s.id
          LEFT JOIN fact f ON f.subject_kind = s.noun AND f.subject_id = s.id
         GROUP BY s.noun, s.id, s.version
        HAVING count(DISTINCT m.version) <> s.version OR count(DISTINCT f.version) <> s.version
            OR max(m.version) <> s.version""",
    "a message that could not be applied counts as applied": """
        SELECT event_id, error FROM provider_event
         WHERE received_at >= %(born)s AND processed_at IS NOT NULL
           AND error NOT IN ('ignored', 'not_ours') AND error NOT LIKE 'discarded%%'""",
    "a captured payment was not told to its shopper once": """
        SELECT p.id, count(m.id) FROM payment p LEFT JOIN message m ON m.about_id = p.id
         WHERE p.id >= %(pay)s GROUP BY p.id, p.status, p.user_id
        HAVING count(m.id) <>
               CASE WHEN p.status = 'captured' AND p.user_id IS NOT NULL THEN 1 ELSE 0 END""",
    "a figure is not the sum of its payments": """
        SELECT r.got, p.is FROM
         (SELECT coalesce(sum(amount_minor), 0) AS got FROM rollup_quarter
           WHERE merchant_id = %(merchant)s AND outcome = 'captured') r,
         (SELECT coalesce(sum(captured_minor), 0) AS is FROM payment
           WHERE merchant_id = %(merchant)s) p WHERE r.got <> p.is""",
}

ENDLESS: dict[str, str] = {
    "a fact is still to be told": """
        SELECT consumer, fact_id, last_error FROM outbox_due WHERE fact_id >= %(fact)s""",
    "a message of the provider was not applied": """
        SELECT event_id, kind, error FROM provider_event
         WHERE received_at >= %(born)s AND processed_at IS NULL""",
    "an operation is still open": """
        SELECT id, kind, state, last_error FROM provider_operation
         WHERE id >= %(op)s AND state IN ('pending', 'in_flight', 'unknown')""",
    "an operation still waits for a person": """
        SELECT id, kind, last_error FROM provider_operation
         WHERE id >= %(op)s AND state = 'manual'""",
    "a correction has no end": """
        SELECT id FROM correction WHERE id >= %(cor)s AND status = 'requested'""",
    "a payment has no end": """
        SELECT p.id, p.status FROM payment p
         WHERE p.id >= %(pay)s AND p.status NOT IN ('captured', 'failed', 'cancelled', 'expired')
           AND NOT EXISTS (SELECT 1 FROM provider_operation o
                            WHERE o.subject_id = p.id AND o.state = 'manual')""",
    "a refund has no end": """
        SELECT r.id, r.status, r.destination FROM refund r
         WHERE r.id >= %(re)s AND r.status NOT IN ('succeeded', 'failed', 'cancelled')
           AND NOT EXISTS (SELECT 1 FROM provider_operation o
                            WHERE o.subject_id = r.id AND o.state = 'manual')""",
    "money set aside is on its way for ever": """
        SELECT n.id, n.status FROM anomaly n WHERE n.id >= %(ano)s AND n.status = 'applying'
         UNION ALL SELECT n.id, n.status FROM anomaly n JOIN refund r ON r.anomaly_id = n.id
         WHERE n.id >= %(ano)s AND n.status = 'refunding'
           AND r.status IN ('failed', 'cancelled') AND NOT EXISTS (SELECT 1 FROM refund o
             WHERE o.anomaly_id = n.id AND o.status NOT IN ('failed', 'cancelled'))""",
    "a link is open past its time": """
        SELECT c.id FROM checkout_session c WHERE c.id >= %(chk)s AND c.status = 'open'
           AND NOT EXISTS (SELECT 1 FROM payment p JOIN provider_operation o
                             ON o.subject_id = p.id AND o.state = 'manual'
                            WHERE p.order_id = c.order_id)""",
}
