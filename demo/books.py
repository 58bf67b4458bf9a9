"""The demo data's ledger: accounts on first use, transfers with their entries."""

from __future__ import annotations

import datetime as dt

from demo.rows import Rows
from webapp.ledger import AccountRef, Line


class Books:
    """Writes transfers as rows; the database's own guards check them at the end."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._accounts: dict[AccountRef, str] = {}
        self._transfers: dict[str, str] = {}

    @staticmethod
    def turned(lines: list[Line]) -> list[Line]:
        """Return the lines that undo `lines`."""
        return [Line(line.target, line.source, line.amount) for line in lines]

    def post(  # noqa: PLR0913 - one transfer's columns
        self,
        reference: str,
        lines: list[Line],
        at: dt.datetime,
        *,
        kind: str,
        merchant_id: str,
        because: str,
        reverses: str | None = None,
    ) -> None:
        """Write one transfer; `reverses` is the reference of one written before that it undoes."""
        transfer_id = self._transfers[reference] = self._rows.chance.id("transfer", at)
        self._rows.add(
            "transfer",
            id=transfer_id,
            reference=reference,
            kind=kind,
            merchant_id=merchant_id,
            livemode=False,
            at=at,
            because=because,
            reverses=self._transfers[reverses] if reverses else None,
        )
        position = 0
        for line in lines:
            minor = line.amount.minor
            for account, signed in ((line.source, -minor), (line.target, minor)):
                position += 1
                self._rows.add(
                    "entry",
                    transfer_id=transfer_id,
                    position=position,
                    account_id=self._account(account, at),
                    merchant_id=merchant_id,
                    livemode=False,
                    currency=line.amount.currency,
                    amount_minor=signed,
                )

    def _account(self, ref: AccountRef, at: dt.datetime) -> str:
        if ref not in self._accounts:
            account_id = self._rows.chance.id("account", at)
            self._accounts[ref] = account_id
            self._rows.add(
                "ledger_account",
                id=account_id,
                merchant_id=ref.merchant_id,
                livemode=ref.livemode,
                kind=ref.kind,
                currency=ref.currency,
                user_id=ref.user_id,
            )
        return self._accounts[ref]
