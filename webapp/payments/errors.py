"""What this room refuses."""

from __future__ import annotations

from webapp.kernel.errors import Conflict, Declined, Forbidden, NotFound


class PaymentNotFound(NotFound):
    """No such payment, or another merchant's."""

    code = "payment_not_found"
    says = "There is no such payment."


class PaymentUnderWay(Conflict):
    """A try is being confirmed; a second one could charge twice."""

    code = "payment_under_way"
    says = "A payment for this order is being confirmed. You have not been charged twice."


class AlreadyPaid(Conflict):
    """The order has been paid."""

    code = "already_paid"
    says = "This order is already paid. Nothing more was charged."


class WrongMethod(Declined):
    """This order cannot be paid in that way."""

    code = "wrong_method"
    says = "This order cannot be paid in that way. Choose another method."


class TooManyAttempts(Declined):
    """This payment has been tried too often."""

    code = "too_many_attempts"
    says = "This payment was tried too many times. Ask the shop for a new order."


class SignInToPay(Forbidden):
    """A wallet belongs to somebody who is signed in."""

    code = "sign_in_to_pay"
    says = "Sign in to pay from your wallet."


class MethodRefused(Declined):
    """The card details that the provider gave us are not usable."""

    code = "method_refused"
    says = "The card details did not arrive. Enter them again; nothing was charged."


class SellerSuspended(Declined):
    """The merchant may not sell at present."""

    code = "seller_suspended"
    says = "This shop takes no payments at present. Nothing was charged."
