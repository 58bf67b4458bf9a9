"""The demo shopper's wallet: opened, topped up by card, and used."""

from __future__ import annotations

import datetime as dt

from demo.books import Books
from demo.cast import Cast
from demo.rows import Rows
from webapp import accounts, ledger
from webapp.kernel.money import Money
from webapp.ledger import Line
from webapp.wallets import Wallet

FIRST = Money(5_000_00, "INR")
DOLLARS = Money(120_00, "USD")


def fill(rows: Rows, cast: Cast, books: Books, at: dt.datetime) -> None:
    """Open the demo shopper's wallets and put the first money in."""
    user = cast.users["asha"]
    for amount in (FIRST, DOLLARS):
        wallet = Wallet(
            id=rows.chance.id("wallet", at),
            user_id=user.id,
            merchant_id=accounts.PLATFORM_ID,
            livemode=False,
            currency=amount.currency,
            created_at=at,
        )
        rows.step(wallet, "active", at, because="The wallet was opened.")
        rows.put("wallet", wallet, metadata={})
        line = Line(
            source=ledger.clearing(False, amount.currency),  # noqa: FBT003 - test mode
            target=ledger.wallet(user.id, False, amount.currency),  # noqa: FBT003 - test mode
            amount=amount,
        )
        books.post(
            f"demo.opening:{wallet.id}",
            [line],
            at + dt.timedelta(minutes=1),
            kind="wallet.deposit",
            merchant_id=accounts.PLATFORM_ID,
            because="The demo’s opening balance, topped up by card.",
        )
