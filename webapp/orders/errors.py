"""What this room refuses."""

from __future__ import annotations

from webapp.kernel.errors import Conflict, NotFound


class OrderNotFound(NotFound):
    """No such order, or another merchant's."""

    code = "order_not_found"
    says = "There is no such order."


class CheckoutNotFound(NotFound):
    """No checkout session has this token."""

    code = "checkout_not_found"
    says = "This payment link is not one of ours. Check that the address is complete."


class CheckoutExpired(Conflict):
    """The link's time is over."""

    code = "checkout_expired"
    passes = True
    says = "This payment link has expired. Get a fresh link; the order is still open."


class OrderNotPayable(Conflict):
    """The order is paid or cancelled already."""

    code = "order_not_payable"
    says = "This order can no longer be paid."


class CustomerNotFound(NotFound):
    """No such customer, or another merchant's."""

    code = "customer_not_found"
    says = "There is no such customer."


class CustomerExists(Conflict):
    """One address is one customer of a merchant."""

    code = "customer_exists"
    says = "You have a customer with this e-mail address already."
