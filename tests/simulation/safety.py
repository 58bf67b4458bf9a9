"""What must hold after every schedule: our books and stories, and the provider's books beside them.

Each query returns the rows that must not be; all are bound to the ids of one schedule.
"""

from __future__ import annotations

import json
from typing import Any

from tests.simulation.money_back import APPROVAL_MINOR
from tests.simulation.stage import Stage
from tests.simulation.wire import BOARD
from tests.simulation.world import SOME
from webapp import invariants
from webapp.gateway import Result, policy
from webapp.gateway.claims import QUARANTINED
from webapp.gateway.operations import NEVER_SENT
from webapp.kernel import db

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
    "a captured payment was not told to its shopper once": """
        SELECT p.id, count(m.id) FROM payment p JOIN message m ON m.about_id = p.id
         WHERE p.id >= %(pay)s GROUP BY p.id, p.status
        HAVING count(m.id) <> CASE WHEN p.status = 'captured' THEN 1 ELSE 0 END""",
    "a figure is not the sum of its payments": """
        SELECT r.got, p.is FROM
         (SELECT coalesce(sum(amount_minor), 0) AS got FROM rollup_quarter
           WHERE merchant_id = %(merchant)s AND outcome = 'captured') r,
         (SELECT coalesce(sum(captured_minor), 0) AS is FROM payment
           WHERE merchant_id = %(merchant)s) p WHERE r.got <> p.is""",
}

#: Why a call may be left to a person: nobody knows any more, it ends workers, it was never sent,
#: or the provider does not answer, or contradicts, what a person said of it.
CAUSES = (
    "still_in_doubt",
    QUARANTINED,
    NEVER_SENT,
    "not_answered",
    "provider_shows_otherwise",
)
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


def judge(stage: Stage) -> None:
    """Note in the world all that is wrong at the end of a schedule."""
    params = _params(stage)
    for name, query in (NEVER | ENDLESS).items():
        rows = BOARD.ask(query, params)  # type: ignore[arg-type]
        if rows:
            stage.world.wrong(f"{name}: {rows[:3]}")
    _against_the_provider(stage)
    _refunds_against_the_provider(stage)
    _told(stage)
    _kept(stage)
    _asked_once(stage)
    _said_no(stage)
    _on_the_wall(stage)


def judge_letter(stage: Stage, operation_id: str, why: str) -> None:
    """A call is left to a person for few reasons; for ending its workers only where it did."""
    if not why.startswith(CAUSES):
        stage.world.wrong(f"{operation_id} waits for a person without a cause: {why}")
    if why != QUARANTINED:
        return
    unfinished = stage.world.unfinished
    ended = unfinished[operation_id] + unfinished[SOME]
    if ended < policy.QUARANTINE_AFTER_CLAIMS:
        stage.world.wrong(f"{operation_id} is set aside, though only {ended} workers did not end")


def counts(stage: Stage) -> dict[str, int]:
    """Return how many payments there were, how many were captured and how many wait."""
    rows = BOARD.ask(
        "SELECT count(*), count(*) FILTER (WHERE status = 'captured'), (SELECT count(*)"
        " FROM provider_operation WHERE id >= %(op)s AND state = 'manual')"
        " FROM payment WHERE id >= %(pay)s",
        _params(stage),  # type: ignore[arg-type]
    )
    return dict(zip(("payments", "captured", "manual"), rows[0], strict=True))


def _params(stage: Stage) -> dict[str, Any]:
    kinds = {
        "tr": "transfer",
        "acc": "account",
        "pay": "payment",
        "ord": "order",
        "chk": "checkout_session",
        "op": "operation",
        "fact": "fact",
        "re": "refund",
        "ano": "anomaly",
        "cor": "correction",
    }
    lows: dict[str, Any] = {short: stage.lowest(kind) for short, kind in kinds.items()}
    lows["limit"] = APPROVAL_MINOR
    return {**lows, "born": stage.since, "merchant": stage.merchant_id}


def _against_the_provider(stage: Stage) -> None:
    """Compare what the provider took and gave back with what our books say of each."""
    books = stage.provider.books
    payments_ = dict(
        BOARD.ask("SELECT id, status FROM payment WHERE id >= %s", (stage.lowest("payment"),))
    )
    cleared = _cleared(stage)
    in_doubt = _in_doubt(stage)
    for intent in books.intents.values():
        if intent.subject not in payments_:
            stage.world.wrong(f"the provider has an intent of an unknown payment {intent.subject}")
    for payment_id, status in payments_.items():
        taken = books.charged(payment_id)
        if len(taken) > 1:
            stage.world.wrong(f"{payment_id} was charged {len(taken)} times")
        theirs, ours = sum(one.received for one in taken), -cleared.get(payment_id, 0)
        if theirs != ours and payment_id not in in_doubt:
            what = f"{payment_id} ({status}): the provider took {theirs}, our books say {ours}"
            stage.world.wrong(what)
    for payment_id, method, end in BOARD.ask(
        "SELECT payment_id, provider_method_id, status FROM attempt WHERE payment_id >= %s",
        (stage.lowest("payment"),),
    ):
        if end == "declined" and method in {one.method for one in books.charged(payment_id)}:
            stage.world.wrong(f"a try of {payment_id} counts as declined, and the money was taken")


def _refunds_against_the_provider(stage: Stage) -> None:
    """Compare each refund with what the provider gave back for it."""
    books, cleared, in_doubt = stage.provider.books, _cleared(stage), _in_doubt(stage)
    rows = BOARD.ask("SELECT id, status FROM refund WHERE id >= %s", (stage.lowest("refund"),))
    ours = dict(rows)
    for refund_id, status in ours.items():
        sent = [one for one in books.refunds.values() if one.subject == refund_id]
        good = [one for one in sent if one.status is not Result.REFUND_FAILED]
        if len(sent) > 1:
            stage.world.wrong(f"{refund_id} was given back {len(sent)} times")
        if sent and refund_id in stage.undone:
            stage.world.wrong(f"{refund_id} was undone and yet given back")
        theirs = sum(one.amount.minor for one in good)
        if theirs != cleared.get(refund_id, 0) and refund_id not in in_doubt:
            what = f"the provider gave back {theirs}, our books say {cleared.get(refund_id, 0)}"
            stage.world.wrong(f"{refund_id} ({status}): {what}")
    asked = {one.subject for one in books.refunds.values() if one.subject is not None}
    if unknown := asked - ours.keys():
        stage.world.wrong(f"the provider gave back what nobody asked for: {sorted(unknown)}")


def _cleared(stage: Stage) -> dict[str, int]:
    """Return by payment or refund what our books say went over the provider's account."""
    rows = BOARD.ask(
        "SELECT split_part(t.reference, ':', 2), sum(e.amount_minor) FROM transfer t"
        " JOIN entry e ON e.transfer_id = t.id"
        " WHERE t.id >= %s AND e.account_kind LIKE 'clearing%%' GROUP BY 1",
        (stage.lowest("transfer"),),
    )
    return {subject: int(minor) for subject, minor in rows}


def _in_doubt(stage: Stage) -> set[str]:
    """Return the payments and refunds whose outcome a person must find out."""
    rows = BOARD.ask(
        "SELECT subject_id FROM provider_operation WHERE id >= %s AND state = 'manual'",
        (stage.lowest("operation"),),
    )
    return {row[0] for row in rows}


def _told(stage: Stage) -> None:
    """Every fact reached every consumer that it is routed to."""
    from jobs.subscriptions import ROUTES  # noqa: PLC0415 - read late, as the portal does

    tellings = {one for told in stage.ear.heard.values() for some in told.values() for one in some}
    kept = BOARD.ask(
        "SELECT x FROM unnest(%s::text[]) x WHERE pg_xact_status(x::xid8) = 'committed'",
        (sorted(tellings),),
    )
    committed = {row[0] for row in kept}
    rows = BOARD.ask("SELECT id, name FROM fact WHERE id >= %s", (stage.lowest("fact"),))
    for fact_id, name in rows:
        for consumer in ROUTES.get(name, ()):
            if committed.isdisjoint(stage.ear.heard[consumer].get(fact_id, ())):
                stage.world.wrong(f"{consumer} was never told {name}")


def _kept(stage: Stage) -> None:
    """Every message that our door took is kept."""
    rows = BOARD.ask("SELECT event_id FROM provider_event WHERE received_at >= %s", (stage.since,))
    kept = {row[0] for row in rows}
    for body in stage.accepted:
        if json.loads(body)["id"] not in kept:
            stage.world.wrong("a message was answered with 200 and not kept")


def _asked_once(stage: Stage) -> None:
    """Each form had one effect when its sender was told so, and never two."""
    for asked, query, kind in (
        (stage.asked, "SELECT description, count(*) FROM shop_order WHERE id >= %s", "order"),
        (stage.refunds_asked, "SELECT note, count(*) FROM refund WHERE id >= %s", "refund"),
    ):
        made = dict(BOARD.ask(f"{query} GROUP BY 1", (stage.lowest(kind),)))
        for key in asked:
            if made.get(key, 0) > 1 or (kind == "order" and asked[key] and key not in made):
                stage.world.wrong(f"one form made {made.get(key, 0)} of {kind}")


def _said_no(stage: Stage) -> None:
    """A shopper is told that the bank declined only when it did, or when a request was refused."""
    rows = BOARD.ask(
        "SELECT subject_id, count(*) FROM move WHERE noun = 'payment' AND subject_id >= %s"
        " AND because = 'The bank declined.' GROUP BY 1",
        (stage.lowest("payment"),),
    )
    provider = stage.provider
    for payment_id, told in rows:
        noes = provider.books.declines[payment_id] + provider.refusals[payment_id]
        if told > noes + stage.decided[payment_id]:
            stage.world.wrong(f"{payment_id} was told of {told} declines, of which {noes} were so")


def _on_the_wall(stage: Stage) -> None:
    """Nothing of this schedule is red on the wall that admins see."""
    with stage.at_work():
        for invariant in invariants.INVARIANTS:
            if invariant.is_quick:
                found = invariant.find(stage.since)
                for one in found.findings[:2]:
                    stage.world.wrong(f"on the wall, {invariant.broken}: {one.line}")
        db.end_reads()
