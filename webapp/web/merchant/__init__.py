"""The merchant's door: today's figures, orders, payments, and what developers need."""

from webapp.web.merchant import (
    attention,
    developers,
    figures,
    holds,
    home,
    keys,
    orders,
    payment_links,
    payments,
    refunding,
    refunds,
    workbench,
)
from webapp.web.merchant.door import blueprint

__all__ = [
    "attention",
    "blueprint",
    "developers",
    "figures",
    "holds",
    "home",
    "keys",
    "orders",
    "payment_links",
    "payments",
    "refunding",
    "refunds",
    "workbench",
]
