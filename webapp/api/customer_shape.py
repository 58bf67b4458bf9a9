"""How a customer is shown: programs read the address, people see it masked."""

from __future__ import annotations

from typing import Any

from webapp.api.caller import caller
from webapp.kernel import crypto
from webapp.orders import Customer


def customer_shown(customer: Customer) -> dict[str, Any]:
    """Return a customer as the API shows it.

    A merchant's own program reads names and addresses; what people unmask is audited on the pages,
    so a person's token sees them masked.
    """
    is_program = caller().kind == "key"
    name = customer.name
    return {
        "id": customer.id,
        "object": "customer",
        "created": int(customer.created_at.timestamp()),
        "livemode": customer.livemode,
        "metadata": dict(customer.details or {}),
        "email": customer.email if is_program else crypto.mask_email(customer.email),
        "name": name if is_program or name is None else crypto.mask_name(name),
    }
