"""UPI as far as it is there: a payment that waits, its link and QR code, simulated in test mode.

No bank answers for the link’s handle. A payment asked for by UPI is paid through its checkout
address, and never counts as paid before a provider has said so.
"""

from __future__ import annotations

from urllib.parse import quote, urlencode

import segno
from pydantic import BaseModel, ConfigDict, Field

from webapp import accounts, payments

#: A handle that no bank has.
HANDLE = "paydeck-sandbox"
MOST_NOTE = 50


class UpiDetails(BaseModel):
    """By whom and with what is paid."""

    model_config = ConfigDict(strict=True, extra="forbid", regex_engine="python-re")

    vpa: str | None = Field(
        None, max_length=255, pattern=r"^[A-Za-z0-9._-]{2,200}@[A-Za-z0-9.-]{2,50}$"
    )
    token: str | None = Field(
        None, pattern=r"^pm_[A-Za-z0-9_]{1,120}$", description="With CARD: a card’s token."
    )


def upi_link(payment: payments.Payment, *, note: str) -> str:
    """Return `upi://pay?pa=…&pn=…&am=100.00&cu=INR&tn=…` for a payment of a test installation."""
    if payment.livemode:
        raise payments.WrongMethod("UPI is not connected here. Choose another method.")
    seller = accounts.merchant_card(payment.merchant_id or "")
    named = {
        "pa": f"{(payment.merchant_id or '').removeprefix('mer_').lower()}@{HANDLE}",
        "pn": seller.name if seller else "Merchant",
        "am": payment.amount.plain(),
        "cu": payment.currency,
        "tn": note[:MOST_NOTE] or "Payment",
        "tr": payment.id,
    }
    return f"upi://pay?{urlencode(named, safe='@', quote_via=quote)}"


def upi_picture(link: str) -> str:
    """Return a link as a QR code: a PNG in a data address."""
    return segno.make(link, error="m", micro=False).png_data_uri(scale=5, border=4)
