"""What this room refuses."""

from __future__ import annotations

from webapp.kernel.errors import Conflict, Declined, Forbidden, Invalid, NotFound


class PaymentNotFound(NotFound):
    """No such payment, or another merchant's."""

    code = "payment_not_found"
    says = "There is no such payment."


class PaymentUnderWay(Conflict):
    """A try is being confirmed; a second one could charge twice."""

    code = "payment_under_way"
    passes = True
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


class NotHeld(Conflict):
    """Only money that the bank holds can be taken or let go."""

    code = "not_held"
    says = "The bank holds no money of this payment, so there is nothing to take or let go."


class CaptureUnderWay(Conflict):
    """The provider has been asked to take the money; that cannot be taken back."""

    code = "capture_under_way"
    passes = True
    says = "The money is being taken already. Wait for the provider’s answer."


class VoidUnderWay(Conflict):
    """The provider has been asked to let the money go; that cannot be taken back."""

    code = "void_under_way"
    passes = True
    says = "The money is being let go already. It can no longer be taken."


class CaptureExceedsHeld(Invalid):
    """More cannot be taken than the bank holds, and not nothing."""

    code = "capture_exceeds_held"
    says = "Take an amount above zero and not above what the bank holds."


class AnomalyNotFound(NotFound):
    """No such money was set aside, or another merchant's."""

    code = "anomaly_not_found"
    says = "No such money has been set aside."


class AnomalyDecided(Conflict):
    """What becomes of that money was decided already."""

    code = "anomaly_decided"
    says = "It was already decided what becomes of this money."


class DoesNotFit(Conflict):
    """That money cannot pay that order."""

    code = "does_not_fit"
    says = "This money does not fit that order."


class CardUnusable(Invalid):
    """The provider takes no such card; `param` names the field."""

    code = "card_unusable"
    says = "The provider does not take this card."


class CardExpired(CardUnusable):
    """The card's last month is over."""

    code = "card_expired"
    says = "This card has expired. Use one whose expiry month has not passed."


class LiveCard(Forbidden):
    """Card numbers are typed into the provider's own fields, not sent to us."""

    code = "card_number_refused"
    says = (
        "Card numbers are not taken here. Use the provider’s own card fields, or its hosted page;"
        " only the sandbox’s test cards can be sent, in test mode."
    )
