"""What wallets refuse."""

from __future__ import annotations

from webapp.kernel.errors import Declined, Invalid


class WalletInactive(Declined):
    """The wallet was switched off; money may come in, none goes out."""

    code = "wallet_inactive"
    says = "This wallet is switched off. Nothing was taken from it; pay with a card instead."


class RecipientUnknown(Invalid):
    """Nobody whom money can be sent to has that e-mail address or id.

    One answer for nobody, for somebody who has not confirmed the address or is suspended, and for
    a wallet that is switched off: who sends is not told which.
    """

    code = "recipient_unknown"
    says = "Nobody there can be sent money. Check the address, or ask them to confirm it."


class RecipientIsSender(Invalid):
    """Somebody sends money to the wallet that it comes from."""

    code = "recipient_is_sender"
    says = "That is you. Name the person who shall have the money."
