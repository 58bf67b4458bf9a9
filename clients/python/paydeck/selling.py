"""Customers, orders and their links, checkout sessions, payments, refunds: sold and given back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from paydeck import fields
from paydeck import objects as told
from paydeck.pages import Page
from paydeck.resource import Resource


class Customers(Resource):
    """Who buys."""

    def create(self, **new: Unpack[fields.NewCustomer]) -> told.Customer:
        """Create a customer."""
        return self._do(told.Customer, "customers", sent=new)

    def get(self, customer_id: str) -> told.Customer:
        """Return a customer."""
        return self._get(told.Customer, "customers", customer_id)

    def list(self, **only: Unpack[fields.CustomerFilter]) -> Page[told.Customer]:
        """Return a page of customers."""
        return self._list(told.Customer, "customers", query=only)

    def update(self, customer_id: str, **change: Unpack[fields.CustomerChange]) -> told.Customer:
        """Change what is given; `metadata` replaces all that was there."""
        return self._change(told.Customer, "customers", customer_id, sent=change)


class Orders(Resource):
    """What is owed and for what."""

    def create(self, **new: Unpack[fields.NewOrder]) -> told.Order:
        """Create an order."""
        return self._do(told.Order, "orders", sent=new)

    def get(self, order_id: str) -> told.Order:
        """Return an order."""
        return self._get(told.Order, "orders", order_id)

    def list(self, **only: Unpack[fields.OrderFilter]) -> Page[told.Order]:
        """Return a page of orders."""
        return self._list(told.Order, "orders", query=only)

    def update(self, order_id: str, **change: Unpack[fields.OrderChange]) -> told.Order:
        """Change description or metadata; what is owed never changes."""
        return self._change(told.Order, "orders", order_id, sent=change)

    def cancel(self, order_id: str, **key: Unpack[fields.Keyed]) -> told.Order:
        """Cancel an order that is not paid."""
        return self._bare(told.Order, "orders", order_id, "cancel", key=key)


class PaymentLinks(Resource):
    """Links that are made once and paid again and again."""

    def create(self, **new: Unpack[fields.NewPaymentLink]) -> told.PaymentLink:
        """Make a link; share its `url`."""
        return self._do(told.PaymentLink, "payment-links", sent=new)

    def get(self, link_id: str) -> told.PaymentLink:
        """Return a link, with how often it was paid."""
        return self._get(told.PaymentLink, "payment-links", link_id)

    def list(self, **only: Unpack[fields.PaymentLinkFilter]) -> Page[told.PaymentLink]:
        """Return a page of links."""
        return self._list(told.PaymentLink, "payment-links", query=only)

    def update(self, link_id: str, **change: Unpack[fields.PaymentLinkChange]) -> told.PaymentLink:
        """End a link, or change its metadata as a whole."""
        return self._change(told.PaymentLink, "payment-links", link_id, sent=change)


class CheckoutSessions(Resource):
    """Links by which orders are paid."""

    def create(self, **new: Unpack[fields.NewCheckoutSession]) -> told.CheckoutSession:
        """Open a link to an order; its `url` is told now and not again."""
        return self._do(told.CheckoutSession, "checkout-sessions", sent=new)

    def get(self, checkout_id: str, *, expand: Sequence[str] | None = None) -> told.CheckoutSession:
        """Return a checkout session."""
        return self._get(told.CheckoutSession, "checkout-sessions", checkout_id, expand=expand)

    def list(self, **only: Unpack[fields.CheckoutFilter]) -> Page[told.CheckoutSession]:
        """Return a page of checkout sessions."""
        return self._list(told.CheckoutSession, "checkout-sessions", query=only)

    def expire(self, checkout_id: str, **key: Unpack[fields.Keyed]) -> told.CheckoutSession:
        """End a link before its time."""
        path = ("checkout-sessions", checkout_id, "expire")
        return self._bare(told.CheckoutSession, *path, key=key)


class Payments(Resource):
    """Intentions to pay orders."""

    def create(self, **new: Unpack[fields.NewPayment]) -> told.Payment:
        """Begin a payment; with a `payment_method` it is paid at once."""
        return self._do(told.Payment, "payments", sent=new)

    def get(self, payment_id: str, *, expand: Sequence[str] | None = None) -> told.Payment:
        """Return a payment."""
        return self._get(told.Payment, "payments", payment_id, expand=expand)

    def list(self, **only: Unpack[fields.PaymentFilter]) -> Page[told.Payment]:
        """Return a page of payments."""
        return self._list(told.Payment, "payments", query=only)

    def confirm(self, payment_id: str, **by: Unpack[fields.Confirmation]) -> told.Payment:
        """Pay a payment that waits."""
        return self._do(told.Payment, "payments", payment_id, "confirm", sent=by)

    def capture(self, payment_id: str, **much: Unpack[fields.Capture]) -> told.Payment:
        """Take held money, once: all of it or `amount`."""
        return self._do(told.Payment, "payments", payment_id, "capture", sent=much)

    def cancel(self, payment_id: str, **why: Unpack[fields.Reasoned]) -> told.Payment:
        """Cancel a payment whose money was not taken."""
        return self._do(told.Payment, "payments", payment_id, "cancel", sent=why)

    def check(self, payment_id: str, **key: Unpack[fields.Keyed]) -> told.Payment:
        """Ask the provider how a payment stands."""
        return self._bare(told.Payment, "payments", payment_id, "check", key=key)

    def attempts(self, payment_id: str) -> Page[dict[str, object]]:
        """Return the tries of a payment, each with one method."""
        return self._list(dict[str, object], "payments", payment_id, "attempts", query={})

    def timeline(self, payment_id: str) -> Page[dict[str, object]]:
        """Return every step of a payment and why it was made."""
        return self._list(dict[str, object], "payments", payment_id, "timeline", query={})


class Refunds(Resource):
    """Money that goes back."""

    def create(self, **new: Unpack[fields.NewRefund]) -> told.Refund:
        """Ask for a refund of a payment: of `amount`, or of all that is left."""
        return self._do(told.Refund, "refunds", sent=new)

    def get(self, refund_id: str, *, expand: Sequence[str] | None = None) -> told.Refund:
        """Return a refund."""
        return self._get(told.Refund, "refunds", refund_id, expand=expand)

    def list(self, **only: Unpack[fields.RefundFilter]) -> Page[told.Refund]:
        """Return a page of refunds."""
        return self._list(told.Refund, "refunds", query=only)

    def approve(self, refund_id: str, **key: Unpack[fields.Keyed]) -> told.Refund:
        """Approve as the second person; never the one who asked."""
        return self._bare(told.Refund, "refunds", refund_id, "approve", key=key)

    def refuse(self, refund_id: str, **why: Unpack[fields.Refusal]) -> told.Refund:
        """Refuse as the second person."""
        return self._do(told.Refund, "refunds", refund_id, "refuse", sent=why)

    def withdraw(self, refund_id: str, **key: Unpack[fields.Keyed]) -> told.Refund:
        """Take a refund back before it leaves."""
        return self._bare(told.Refund, "refunds", refund_id, "withdraw", key=key)
