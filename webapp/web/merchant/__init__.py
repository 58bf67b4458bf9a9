"""The merchant's door: today's figures, orders and payments."""

from webapp.web.merchant import (
    attention,
    figures,
    holds,
    home,
    orders,
    payments,
    refunding,
    refunds,
)
from webapp.web.merchant.door import blueprint

__all__ = [
    "attention",
    "blueprint",
    "figures",
    "holds",
    "home",
    "orders",
    "payments",
    "refunding",
    "refunds",
]
