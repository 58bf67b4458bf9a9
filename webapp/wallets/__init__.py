"""Stored value: one wallet per person, mode and currency; its money is an account of the ledger."""

from webapp.wallets.errors import WalletInactive
from webapp.wallets.models import FLOW, Status, Wallet
from webapp.wallets.queries import WalletBalance, WalletLine, balance_of, history, wallets_of
from webapp.wallets.service import (
    activate,
    deactivate,
    deposit,
    open,  # noqa: A004 - reads with its room: wallets.open
    receive,
    require_active,
)

__all__ = [
    "FLOW",
    "Status",
    "Wallet",
    "WalletBalance",
    "WalletInactive",
    "WalletLine",
    "activate",
    "balance_of",
    "deactivate",
    "deposit",
    "history",
    "open",
    "receive",
    "require_active",
    "wallets_of",
]
