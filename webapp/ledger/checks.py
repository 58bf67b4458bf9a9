"""What must be true of the books, each with the query that finds where it is not."""

from __future__ import annotations

from typing import Final

from webapp.kernel.proof import Check

CHECKS: Final[tuple[Check, ...]] = (
    Check(
        "transfer_balances",
        holds="Every transfer sums to zero in its currency.",
        broken="a transfer does not sum to zero",
        sql="""
        SELECT transfer_id, format('in %s: %s', currency, sum(amount_minor))
        FROM entry WHERE transfer_id >= :tr
        GROUP BY transfer_id, currency HAVING sum(amount_minor) <> 0""",
    ),
    Check(
        "transfer_has_two_sides",
        holds="Every transfer has two entries or more.",
        broken="a transfer has fewer than two entries",
        sql="""
        SELECT t.id, format('has %s', count(e.position))
        FROM transfer t LEFT JOIN entry e ON e.transfer_id = t.id WHERE t.id >= :tr
        GROUP BY t.id HAVING count(e.position) < 2""",
    ),
    Check(
        "books_balance",
        holds="All entries together sum to zero, in each mode and currency.",
        broken="all entries together do not sum to zero",
        sql="""
        SELECT CASE WHEN livemode THEN 'live' ELSE 'test' END,
               format('%s: %s', currency, sum(amount_minor))
        FROM entry WHERE transfer_id >= :tr
        GROUP BY livemode, currency HAVING sum(amount_minor) <> 0""",
    ),
    Check(
        "balance_is_its_entries",
        holds="Every wallet’s balance is the sum of its entries.",
        broken="a balance is not the sum of its entries",
        sql="""
        SELECT a.name, format('%s, entries %s', b.amount_minor, coalesce(sum(e.amount_minor), 0))
        FROM (SELECT account_id FROM entry WHERE user_id IS NOT NULL AND transfer_id >= :tr
              UNION SELECT account_id FROM balance WHERE :tr = '') AS touched
        JOIN balance b USING (account_id) JOIN ledger_account a ON a.id = b.account_id
        LEFT JOIN entry e ON e.account_id = a.id
        GROUP BY a.name, b.amount_minor
        HAVING b.amount_minor <> coalesce(sum(e.amount_minor), 0)""",
    ),
    Check(
        "wallets_have_balances",
        holds="Every wallet has a balance row, and no other account has one.",
        broken="a wallet has no balance, or another account has one",
        sql="""
        SELECT a.name, '' FROM ledger_account a LEFT JOIN balance b ON b.account_id = a.id
        WHERE a.id >= :acc AND (a.kind = 'wallet') <> (b.account_id IS NOT NULL)""",
    ),
    Check(
        "wallet_not_below_zero",
        holds="No wallet is below zero.",
        broken="a wallet is below zero",
        sql="""
        SELECT a.name, sum(e.amount_minor)::text
        FROM (SELECT DISTINCT account_id FROM entry
               WHERE user_id IS NOT NULL AND transfer_id >= :tr) AS touched
        JOIN ledger_account a ON a.id = touched.account_id
        JOIN entry e ON e.account_id = a.id
        WHERE a.kind = 'wallet' GROUP BY a.name HAVING sum(e.amount_minor) < 0""",
    ),
    Check(
        "checkpoint_is_its_entries",
        holds="Every checkpoint is the sum of the entries before it.",
        broken="a checkpoint is not the sum of its entries",
        sql="""
        SELECT a.name, format('checkpoint %s, its entries %s', c.amount_minor,
                              coalesce(sum(e.amount_minor), 0))
        FROM balance_checkpoint c JOIN ledger_account a ON a.id = c.account_id
        LEFT JOIN entry e ON e.account_id = a.id AND e.xid < c.horizon
        GROUP BY a.name, c.amount_minor
        HAVING c.amount_minor <> coalesce(sum(e.amount_minor), 0)""",
        is_quick=False,
    ),
    Check(
        "checkpoints_miss_nothing",
        holds="Every finished entry is in its account’s checkpoint.",
        broken="a finished entry is in no checkpoint",
        sql="""
        SELECT DISTINCT a.name, ''
        FROM ledger_fold f CROSS JOIN entry e JOIN ledger_account a ON a.id = e.account_id
        LEFT JOIN balance_checkpoint c ON c.account_id = a.id
        WHERE e.transfer_id >= :tr
          AND e.xid < f.horizon AND e.user_id IS NULL AND e.xid >= coalesce(c.horizon, '0')""",
    ),
    Check(
        "books_fit_the_server",
        holds="No entry is ahead of this server’s own clock of transactions.",
        broken="the books are ahead of this server; run ledger_after_restore()",
        sql="""
        SELECT 'checkpoints', format('folded up to transaction %s', f.horizon) FROM ledger_fold f
        WHERE f.horizon > pg_snapshot_xmax(pg_current_snapshot())
        UNION ALL
        SELECT newest.id, format('was written by transaction %s', newest.xid)
        FROM (SELECT id, xid FROM transfer ORDER BY xid DESC LIMIT 1) AS newest
        WHERE newest.xid >= pg_snapshot_xmax(pg_current_snapshot())
          AND newest.xid IS DISTINCT FROM pg_current_xact_id_if_assigned()""",
    ),
    Check(
        "entry_fits_its_account",
        holds="Every entry is in its account’s currency, mode and kind.",
        broken="an entry is not in its account’s currency, mode or kind",
        sql="""
        SELECT e.transfer_id, format('entry %s', e.position)
        FROM entry e LEFT JOIN ledger_account a ON a.id = e.account_id
        WHERE e.transfer_id >= :tr AND (a.id IS NULL
           OR (e.currency, e.livemode, e.account_kind) <> (a.currency, a.livemode, a.kind)
           OR e.user_id IS DISTINCT FROM a.user_id)""",
    ),
    Check(
        "entry_fits_its_transfer",
        holds="Every entry was written with its transfer, for the same merchant and mode.",
        broken="an entry is not of its transfer’s merchant, mode and transaction",
        sql="""
        SELECT e.transfer_id, format('entry %s', e.position)
        FROM entry e LEFT JOIN transfer t ON t.id = e.transfer_id
        WHERE e.transfer_id >= :tr AND (t.id IS NULL
           OR (e.merchant_id, e.livemode, e.xid) <> (t.merchant_id, t.livemode, t.xid))""",
    ),
    Check(
        "reference_is_posted_once",
        holds="No business fact was posted twice.",
        broken="a reference was posted twice",
        sql="""
        SELECT reference, format('%s times', count(*)) FROM transfer
        WHERE reference IN (SELECT reference FROM transfer WHERE id >= :tr)
        GROUP BY reference HAVING count(*) > 1""",
    ),
)
