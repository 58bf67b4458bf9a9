"""Reads of wallets, balances and their history."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from webapp import ledger
from webapp.kernel import db
from webapp.kernel.errors import NotFound
from webapp.kernel.money import Money
from webapp.kernel.paging import Page, PageRequest
from webapp.wallets import display
from webapp.wallets.models import Wallet


@dataclass(frozen=True, slots=True)
class WalletBalance:
    """What is in one wallet, for display."""

    currency: str
    available: Money


@dataclass(frozen=True, slots=True)
class WalletLine:
    """One line of history: what happened in a sentence, when, and by how much it moved.

    `id` is the place in the list, by which pages go on.
    """

    id: str
    transfer_id: str
    at: dt.datetime
    text: str
    kind: str
    reference: str
    amount: Money


def balance_of(user_id: str, livemode: bool) -> list[WalletBalance]:  # noqa: FBT001 - mode
    """Return a person's balances by currency, for display only: up to five minutes old.

    They are fresh again as soon as a transaction that moved one has committed. What may be spent
    is decided by the ledger under lock, never by this.
    """
    key = display.key_for(user_id, livemode=livemode)
    balances = display.kept(key)
    if balances is None:
        balances = _read(user_id, livemode=livemode)
        display.keep(key, balances)
    return [WalletBalance(held.currency, held) for held in balances]


def history(
    user_id: str,
    livemode: bool,  # noqa: FBT001 - mode
    *,
    page: PageRequest,
    currency: str | None = None,
) -> Page[WalletLine]:
    """Return a page of what went into and out of a person's wallets, newest first.

    With `currency`, of that wallet alone.
    """
    found = ledger.wallet_entries(user_id, livemode, page, currency=currency)
    lines = [
        WalletLine(
            f"{e.transfer_id}_{e.position}",
            e.transfer_id,
            e.at,
            e.because,
            e.kind,
            e.reference,
            e.amount,
        )
        for e in found.rows
    ]
    return Page(rows=lines, older=found.older, newer=found.newer)


def wallets_of(user_id: str) -> Sequence[Wallet]:
    """Return a person's wallets by mode and currency."""
    wanted = select(Wallet).where(Wallet.user_id == user_id)
    return db.session.scalars(wanted.order_by(Wallet.livemode, Wallet.currency)).all()


def own_wallet(user_id: str, wallet_id: str, *, livemode: bool) -> Wallet:
    """Return a person's wallet in a mode by its id; raises NotFound."""
    found = wallet_by_id(wallet_id)
    if found is None or found.user_id != user_id or found.livemode != livemode:
        raise NotFound
    return found


def wallet_of(user_id: str, currency: str, *, livemode: bool) -> Wallet | None:
    """Return the one wallet of a person in a mode and currency, or None."""
    return db.session.scalar(
        select(Wallet).where(
            Wallet.user_id == user_id, Wallet.livemode == livemode, Wallet.currency == currency
        )
    )


def wallet_by_id(wallet_id: str, *, lock: bool = False) -> Wallet | None:
    """Return a wallet, locked until the transaction ends where `lock` is set, or None."""
    wanted = select(Wallet).where(Wallet.id == wallet_id)
    return db.session.scalar(wanted.with_for_update() if lock else wanted)


def _read(user_id: str, *, livemode: bool) -> list[Money]:
    """Return every wallet's amount; one that was opened and never used holds nothing."""
    held = {money.currency: money for money in ledger.wallet_balances(user_id, livemode)}
    opened = [w.currency for w in wallets_of(user_id) if w.livemode == livemode]
    return [held.get(code, Money(0, code)) for code in sorted({*held, *opened})]
