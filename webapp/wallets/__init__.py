"""Stored value: one wallet per person, mode and currency; its money is an account of the ledger."""

from webapp.wallets.errors import RecipientIsSender, RecipientUnknown, WalletInactive
from webapp.wallets.models import FLOW, TRANSFER_FLOW, Status, Wallet, WalletTransfer
from webapp.wallets.queries import (
    WalletBalance,
    WalletLine,
    balance_of,
    history,
    own_wallet,
    wallets_of,
)
from webapp.wallets.sending import (
    LONGEST_NOTE,
    NewTransfer,
    check_transfer,
    counterparts,
    open_received,
    sending_in,
    transfer,
    transfer_of,
    transfers_of,
)
from webapp.wallets.service import (
    activate,
    deactivate,
    deposit,
    open,  # noqa: A004 - reads with its room: wallets.open
    receive,
    refuse_switched_off,
    require_active,
)

__all__ = [
    "FLOW",
    "LONGEST_NOTE",
    "TRANSFER_FLOW",
    "NewTransfer",
    "RecipientIsSender",
    "RecipientUnknown",
    "Status",
    "Wallet",
    "WalletBalance",
    "WalletInactive",
    "WalletLine",
    "WalletTransfer",
    "activate",
    "balance_of",
    "check_transfer",
    "counterparts",
    "deactivate",
    "deposit",
    "history",
    "open",
    "open_received",
    "own_wallet",
    "receive",
    "refuse_switched_off",
    "require_active",
    "sending_in",
    "transfer",
    "transfer_of",
    "transfers_of",
    "wallets_of",
]
