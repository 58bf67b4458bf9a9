"""What must never be found in the books: each query returns in words what is wrong, or nothing."""

from __future__ import annotations

from typing import Final

CHECKS: Final[dict[str, str]] = {
    "a transfer does not sum to zero": """
        SELECT format('%s in %s: %s', transfer_id, currency, sum(amount_minor))
        FROM entry GROUP BY transfer_id, currency HAVING sum(amount_minor) <> 0""",
    "a transfer has fewer than two entries": """
        SELECT format('%s: %s', t.id, count(e.position))
        FROM transfer t LEFT JOIN entry e ON e.transfer_id = t.id
        GROUP BY t.id HAVING count(e.position) < 2""",
    "all entries together do not sum to zero": """
        SELECT format('%s %s: %s', CASE WHEN livemode THEN 'live' ELSE 'test' END, currency,
                      sum(amount_minor))
        FROM entry GROUP BY livemode, currency HAVING sum(amount_minor) <> 0""",
    "a balance is not the sum of its entries": """
        SELECT format('%s: %s, entries %s', a.name, b.amount_minor,
                      coalesce(sum(e.amount_minor), 0))
        FROM balance b JOIN ledger_account a ON a.id = b.account_id
        LEFT JOIN entry e ON e.account_id = a.id
        GROUP BY a.name, b.amount_minor
        HAVING b.amount_minor <> coalesce(sum(e.amount_minor), 0)""",
    "a wallet has no balance, or another account has one": """
        SELECT a.name FROM ledger_account a LEFT JOIN balance b ON b.account_id = a.id
        WHERE (a.kind = 'wallet') <> (b.account_id IS NOT NULL)""",
    "a wallet is below zero": """
        SELECT format('%s: %s', a.name, sum(e.amount_minor))
        FROM ledger_account a JOIN entry e ON e.account_id = a.id
        WHERE a.kind = 'wallet' GROUP BY a.name HAVING sum(e.amount_minor) < 0""",
    "a checkpoint is not the sum of its entries": """
        SELECT format('%s: checkpoint %s, its entries %s', a.name, c.amount_minor,
                      coalesce(sum(e.amount_minor), 0))
        FROM balance_checkpoint c JOIN ledger_account a ON a.id = c.account_id
        LEFT JOIN entry e ON e.account_id = a.id AND e.xid < c.horizon
        GROUP BY a.name, c.amount_minor
        HAVING c.amount_minor <> coalesce(sum(e.amount_minor), 0)""",
    "a finished entry is in no checkpoint": """
        SELECT DISTINCT a.name
        FROM ledger_fold f CROSS JOIN entry e JOIN ledger_account a ON a.id = e.account_id
        LEFT JOIN balance_checkpoint c ON c.account_id = a.id
        WHERE e.xid < f.horizon AND e.user_id IS NULL AND e.xid >= coalesce(c.horizon, '0')""",
    "the books are ahead of this server; run ledger_after_restore()": """
        SELECT format('folded up to transaction %s', f.horizon) FROM ledger_fold f
        WHERE f.horizon > pg_snapshot_xmax(pg_current_snapshot())
        UNION ALL
        SELECT format('%s was written by transaction %s', newest.id, newest.xid)
        FROM (SELECT id, xid FROM transfer ORDER BY xid DESC LIMIT 1) AS newest
        WHERE newest.xid >= pg_snapshot_xmax(pg_current_snapshot())
          AND newest.xid IS DISTINCT FROM pg_current_xact_id_if_assigned()""",
    "an entry is not in its account’s currency, mode or kind": """
        SELECT format('%s entry %s', e.transfer_id, e.position)
        FROM entry e LEFT JOIN ledger_account a ON a.id = e.account_id
        WHERE a.id IS NULL
           OR (e.currency, e.livemode, e.account_kind) <> (a.currency, a.livemode, a.kind)
           OR e.user_id IS DISTINCT FROM a.user_id""",
    "an entry is not of its transfer’s merchant, mode and transaction": """
        SELECT format('%s entry %s', e.transfer_id, e.position)
        FROM entry e LEFT JOIN transfer t ON t.id = e.transfer_id
        WHERE t.id IS NULL OR (e.merchant_id, e.livemode, e.xid)
                              <> (t.merchant_id, t.livemode, t.xid)""",
    "a reference was posted twice": """
        SELECT reference FROM transfer GROUP BY reference HAVING count(*) > 1""",
}
