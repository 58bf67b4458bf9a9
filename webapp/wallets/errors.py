"""What wallets refuse."""

from __future__ import annotations

from webapp.kernel.errors import Declined


class WalletInactive(Declined):
    """The wallet was switched off; money may come in, none goes out."""

    code = "wallet_inactive"
    says = "This wallet is switched off. Nothing was taken from it; pay with a card instead."
