"""The merchant's door: today's figures, orders and payments."""

from webapp.web.merchant import figures, home, orders, payments
from webapp.web.merchant.door import blueprint

__all__ = ["blueprint", "figures", "home", "orders", "payments"]
