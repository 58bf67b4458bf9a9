"""How a refund looks to whoever asks; what the merchant noted of it stays the merchant's own."""

from __future__ import annotations

from typing import Any

from webapp import refunds, webhooks
from webapp.api.caller import Caller

#: Reasons that judge a shopper: the shopper reads that there was another one.
NOT_FOR_SHOPPERS = frozenset({refunds.Reason.FRAUDULENT})


def refund_for(who: Caller, refund: refunds.Refund) -> dict[str, Any]:
    """Return a refund as events tell it, or as its shopper may know it who names no merchant."""
    shown = webhooks.payload_of("refund", refund.snapshot())
    if who.merchant_id is not None:
        return shown
    reason = refunds.Reason.OTHER if shown["reason"] in NOT_FOR_SHOPPERS else shown["reason"]
    return {**shown, "reason": str(reason), "metadata": {}}
