"""POST /payments/initiate: the same as creating a payment, at the address of an older contract."""

from __future__ import annotations

from typing import Any

from webapp.api.caller import needs
from webapp.api.payment_shape import Payment
from webapp.api.payments import CreatePayment, create_payment, enter
from webapp.api.routing import Key, post

TAG = "Older contracts"


@post("/payments/initiate", tag=TAG, gives=Payment, key=Key.OPTIONAL, before=enter, root=True)
@needs(scope="payments:write", act="create_order", person=True, provider=True)
def initiate_payment(body: CreatePayment) -> dict[str, Any]:
    """Initiate a payment.

    The same as POST /api/v1/payments: the token is checked, the payment kept, the provider asked
    by a worker, and its word told by event.
    """
    return create_payment(body)
