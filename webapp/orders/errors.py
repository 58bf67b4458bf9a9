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


class PaymentLinkNotFound(NotFound):
    """No payment link has this id or token, or it is another merchant's."""

    code = "payment_link_not_found"
    says = "There is no such payment link. Check that the address is complete."


class PaymentLinkEnded(Conflict):
    """The link was ended, its time is over, or it was paid as often as it takes."""

    code = "payment_link_ended"
    says = "This payment link takes no more payments. Nothing was charged."


class PaymentLinkClosed(Conflict):
    """The link's merchant may not sell at present."""

    code = "payment_link_closed"
    says = "This shop takes no payments at present. Nothing was charged."


class CustomerNotFound(NotFound):
    """No such customer, or another merchant's."""

    code = "customer_not_found"
    says = "There is no such customer."


class CustomerExists(Conflict):
    """One address is one customer of a merchant."""

    code = "customer_exists"
    says = "You have a customer with this e-mail address already."
